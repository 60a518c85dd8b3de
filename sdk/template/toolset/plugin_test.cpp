#include <agentd/testing/fake_host.hpp>

#include <cstdio>

int main() {
  agentd::testing::FakeHost host;
  auto greeter = host.create("my_toolset", R"({"greeting": "Good day"})");

  const auto greeted = greeter.call("greet", R"({"name": "Ada"})");
  const auto refused = greeter.call("greet", R"({"name": "Ada", "times": 99})");
  std::printf("%s\n%s\n", greeted.value.c_str(), refused.value.c_str());
  return greeted.value == R"("Good day, Ada! ")" && !refused.ok() ? 0 : 1;
}
