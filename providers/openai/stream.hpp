// An answer put together from the pieces of a stream.
#pragma once
#include <agentd/sdk/provider.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace agentd::openai {

class StreamedAnswer {
 public:
  // One event's data; deltas go to the completion. False: somebody asked to stop. Throws sdk::Error on what it cannot read.
  bool take(std::string_view data, sdk::Completion& completion);
  // Text is told when something else is, or here: words that came together are told together. False: as above.
  bool tell_text(sdk::Completion& completion);
  // The whole answer; throws sdk::Error when the stream ended before it did.
  sdk::ModelAnswer end();
  // The data of an event that is an error instead of a piece; empty: none came.
  const std::string& error() const { return error_; }

 private:
  std::optional<std::string> text_alone(std::string_view data) const;
  void keep_frame(std::string_view data);
  bool take_choices(sdk::JsonReader& event, sdk::Completion& completion);
  bool take_delta(sdk::JsonReader& event, sdk::Completion& completion);
  bool take_call(sdk::Json call, sdk::Completion& completion);

  sdk::ModelAnswer answer_;
  std::string reason_, reasoning_details_, error_;
  std::size_t told_ = 0;  // bytes of the answer's text
  bool refused_ = false, done_ = false;
  // Most events of a stream differ in their text alone. What stands before and after the text of the last event: one that begins and ends
  // in the same way says the same but for its text, so that only this is read. Empty: the last event said more.
  std::string before_, after_;
  std::string_view words_;  // of the event at hand: the content, as it stands there
  bool says_more_ = false;  // it holds something that must not be taken twice
};

}  // namespace agentd::openai
