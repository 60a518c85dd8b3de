// How many bytes of a prompt make a token of a model.
#pragma once
#include <algorithm>
#include <cstdint>

namespace agentd::memory {

// A running figure from what the endpoint itself counts: the latest prompts weigh most, so that it follows an agent that turns to another
// language. Before the first answer, 4 bytes.
class TokenRate {
 public:
  static constexpr double kUsual = 4;

  // The bytes of a whole prompt and the tokens that they were. What nobody could have counted changes little.
  void learn(std::int64_t bytes, std::int64_t tokens) {
    if (bytes <= 0 || tokens <= 0) return;
    bytes_ = bytes_ * kKept + static_cast<double>(bytes);
    tokens_ = tokens_ * kKept + static_cast<double>(tokens);
  }
  double bytes_per_token() const { return std::clamp(bytes_ / tokens_, 1.0, 16.0); }

 private:
  static constexpr double kKept = 0.9;       // of what is known, at each prompt
  double bytes_ = kUsual * 64, tokens_ = 64;  // as if of one short prompt
};

}  // namespace agentd::memory
