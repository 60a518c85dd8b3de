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
  const auto words = notes.search({MemoryType::any, "a", "", "", "green Sky is", 0, 10});
  const auto others = notes.list({MemoryType::any, "b", "", "", "", 0, 10});
  std::printf("%zu %zu %zu %zu\n", listed.entries.size(), found.entries.size(), words.entries.size(), others.entries.size());
  const bool lists = listed.entries.size() == 2 && listed.entries[0].id == "2" && others.entries.empty();
  const bool finds = found.entries.size() == 1 && words.entries.size() == 2;
  return lists && finds ? 0 : 1;
}
