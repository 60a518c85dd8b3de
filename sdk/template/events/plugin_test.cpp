#include <agentd/testing/fake_host.hpp>

#include <cstdio>
#include <fstream>
#include <string>

int main() {
  const std::string path = "my_events_test.jsonl";
  std::remove(path.c_str());
  agentd::testing::FakeHost host;
  {
    auto lines = host.create("my_events", R"({"path": "my_events_test.jsonl"})");
    lines.append({{"1", "host_started", "", "", "", 0, "{}"}, {"2", "host_stopped", "", "", "", 0, "{}"}});
    lines.append({{"2", "host_stopped", "", "", "", 0, "{}"}});
  }
  std::ifstream file(path);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) std::printf("%s\n", line.c_str());
  const bool nowhere = !host.try_create("my_events", R"({"path": "/no/such/folder/x"})").created().ok();
  return count == 2 && nowhere ? 0 : 1;
}
