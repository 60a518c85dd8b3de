#include <agentd/testing/fake_host.hpp>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

using agentd::sdk::Event;

namespace {

const char* const kPath = "my_events_test.jsonl";
const std::string kSettings = std::string(R"({"path": ")") + kPath + "\"}";

Event event(const char* id) { return {id, "host_started", "", "", "", 0, "{}"}; }

std::string ids() {
  std::ifstream file(kPath);
  std::string all;
  for (std::string line; std::getline(file, line);) all += std::string(agentd::sdk::Json(line)["id"].string()) + " ";
  return all;
}

bool expect(const char* what, const std::string& wanted) {
  std::printf("%s: %s\n", what, ids().c_str());
  return ids() == wanted;
}

}  // namespace

int main() {
  std::remove(kPath);
  agentd::testing::FakeHost host;
  bool good = true;
  {
    auto lines = host.create("my_events", kSettings);
    lines.append({event("1"), event("2")});
    lines.append({event("2"), event("3")});
    good = expect("sent again", "1 2 3 ") && good;
  }
  std::ofstream(kPath, std::ios::app) << R"({"id":"4","ty)";  // a crash in the middle of a line
  {
    auto lines = host.create("my_events", kSettings);
    lines.append({event("2"), event("3"), event("4")});
    good = expect("sent again after a crash", "1 2 3 4 ") && good;
  }
  const bool nowhere = !host.try_create("my_events", R"({"path": "/no/such/folder/x"})").created().ok();
  return good && nowhere ? 0 : 1;
}
