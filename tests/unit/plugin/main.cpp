#include <gtest/gtest.h>

#include <string_view>

#include "host/runner/runner.hpp"

// The tests are their own runner, as the host is.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--runner") return agentd::runner::runner_main(argc - 1, argv + 1);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
