// One tool call from its start to what the model is told of it.
#pragma once
#include <functional>

#include "core/base/async.hpp"
#include "core/event/record.hpp"
#include "core/port/cleaner.hpp"
#include "core/tool/catalog.hpp"

namespace agentd::tool {

struct Request {
  const Tool* tool = nullptr;          // outlives the call
  std::string call_id, agent_id, run_id;
  std::string arguments;               // judged
  Millis timeout{0};                   // of the call and of the run, whichever is shorter; tries included
  std::uint64_t output_limit = 0;      // 0: none
  const port::Cleaner* cleaner = nullptr;  // outlives the call; null: nothing is secret
  bool dry_run = false;                // pure tools run, others are answered "dry run"
  bool asks = false;                   // needs a person, so a dry run does not make it though it is pure
  std::function<Async<bool>()> may_begin = {};  // asked before each try; false: it is not made. Empty: it may
};

struct Reply {
  event::ToolOutcome outcome = event::ToolOutcome::ok;
  port::Status status = port::Status::ok;  // in the toolset's words
  bool undone = false;                 // it was asked to stop and did not happen
  bool is_json = false;                // content is the text of a JSON value that is no string
  event::Json content;                 // for the model, a string
  event::Json whole;                   // where content is a shortened form: all of it, up to 8 MiB
  Millis duration{0};
};

// Never fails: every end is something the model can be told. A toolset's "retryable" (it did not happen) is tried again within the
// timeout, four tries in all.
Async<Reply> call(World world, Request request, std::stop_token stop);

// What became of a call whose end nobody saw.
struct Found {
  enum class Kind { happened, not_happened, unknown } kind = Kind::unknown;
  Reply reply;                         // what the model is told when it happened, or when nobody knows
};
Async<Found> find_out(World world, Request request);

// An outcome of a toolset as the model is told of it.
Reply to_reply(const port::Outcome& outcome, port::Effect effect, bool out_of_time, std::uint64_t output_limit);

}  // namespace agentd::tool
