#include <agentd/testing/fake_host.hpp>

#include <cstdio>

using namespace agentd::sdk;

int main() {
  agentd::testing::FakeHost host;
  auto notes = host.create("my_memory");
  notes.put({{MemoryType::long_term, "a", "", "1", "the sky is blue", "{}"}, {MemoryType::long_term, "a", "", "2", "grass is green", "{}"}});
  notes.put({{MemoryType::long_term, "a", "", "1", "the sky is grey", "{}"}});

  const auto listed = notes.list({MemoryType::any, "a", "", "", "", 0, 10});
  const auto found = notes.search({MemoryType::any, "a", "", "", "grey", 0, 10});
  const auto others = notes.list({MemoryType::any, "b", "", "", "", 0, 10});
  std::printf("%zu %zu %zu\n", listed.entries.size(), found.entries.size(), others.entries.size());
  return listed.entries.size() == 2 && listed.entries[0].id == "2" && found.entries.size() == 1 && others.entries.empty() ? 0 : 1;
}
