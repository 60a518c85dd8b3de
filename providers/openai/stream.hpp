// An answer put together from the pieces of a stream.
#pragma once
#include <agentd/sdk/provider.hpp>

#include <string>
#include <string_view>

#include "sse.hpp"

namespace agentd::openai {

class StreamedAnswer {
 public:
  // One event's data; deltas go to the completion. False: somebody asked to stop. Throws sdk::Error on what it cannot read.
  bool take(std::string_view data, sdk::Completion& completion);
  // The whole answer; throws sdk::Error when the stream ended before it did.
  sdk::ModelAnswer end();
  // The data of an event that is an error instead of a piece; empty: none came.
  const std::string& error() const { return error_; }

 private:
  bool take_choices(sdk::JsonReader& event, sdk::Completion& completion);
  bool take_delta(sdk::JsonReader& event, sdk::Completion& completion);
  bool take_call(sdk::Json call, sdk::Completion& completion);

  sdk::ModelAnswer answer_;
  std::string reason_, reasoning_details_, error_;
  bool refused_ = false, done_ = false;
};

}  // namespace agentd::openai
