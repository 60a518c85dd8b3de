#include <agentd/testing/fake_host.hpp>

#include <cstdio>

int main() {
  agentd::testing::FakeHost host;
  auto counter = host.create("my_task");

  const auto first = counter.run();
  const auto later = counter.run(R"({"what": "checks"})", "41");
  std::printf("%s\n%s\n", first.value.c_str(), later.value.c_str());
  return first.value == R"({"result":"1 runs","state":1})" && later.value == R"({"result":"42 checks","state":42})" ? 0 : 1;
}
