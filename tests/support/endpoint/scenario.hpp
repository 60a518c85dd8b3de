// What the endpoint answers: a tool call until the conversation has had enough rounds, then a text; or one of the ways to fail.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/endpoint/conversation.hpp"

namespace agentd::endpoint {

struct Scenario {
  std::string tool;                  // empty: the first that is offered
  std::string arguments = "{}";
  std::string text = "All is well.";  // "{result}" becomes the last tool result
  int rounds = 1;                    // answers with tool calls before the text
  int calls = 1;                     // tool calls in one answer
  int chunks = 8;                    // of a streamed text
  int usage = 1;                     // times what it used, in what it reports
  std::string key;                   // empty: none asked for
  std::chrono::milliseconds delay{0};

  int dimensions = 256;              // of a vector
  std::map<std::string, std::string> means;  // a word, and the one that it is taken for
  std::string embeddings;            // the way in which every one fails; empty: none does

  // By the request's number, from 1; 0 is every other one. See --help for the words.
  std::map<int, std::string> failures;
  const std::string* failure(int number) const;
};

// Raw bytes of an HTTP/1.1 answer.
struct Reply {
  int status = 200;                  // 0: none was sent
  std::string bytes;
  bool close = false;                // after the bytes
  bool never = false;                // nothing comes, and the connection stays open
};

Reply whole(int status, std::string_view body, std::string_view more_headers = "", std::string_view type = "application/json");
// number makes ids of tool calls; request_id is echoed.
Reply answer(const Scenario& scenario, const Conversation& conversation, int number);
Reply refuse(int status, std::string_view type, std::string_view code, std::string_view message, std::string_view more_headers = "");
Reply misbehave(std::string_view how, const Scenario& scenario, const Conversation& conversation, int number);
Reply models();
std::optional<std::string> check_failure(std::string_view how);  // what is wrong with the word

}  // namespace agentd::endpoint
