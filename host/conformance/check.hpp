// What every implementation of a kind promises, as checks that anyone's shared object can be held to. The project's own stores are
// held to the same ones.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentd::conformance {

// A promise that was not kept: what was expected, and what came.
struct Unmet : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// B offers the store's operations and waits for them. A check throws Unmet.
template <class B>
struct Check {
  std::string_view name;     // one word
  std::string_view promise;  // "lists the newest first"
  void (*hold)(B& bench);
};

}  // namespace agentd::conformance
