// Reads a script. A mistake is an sdk::Error with its place: "demo.toml:7:1: ...".
//
//   [[agent]]                                  # the first that fits the completion plays
//   name = "system_health"                     # an agent_id; left out: every agent
//   match = "usage"                            # and the query holds this; left out: any query
//
//   [[agent.step]]                             # a step per answer
//   delay = "1s"
//   call = [{ tool = "system.cpu" }, { tool = "system.disk", arguments = { path = "{{params/path}}" } }]
//
//   [[agent.step]]
//   [[agent.step.choose]]                      # the first whose conditions all hold
//   when = { value = "{{system.cpu/usage_percent}}", op = ">", than = "{{params/thresholds/cpu_usage}}" }
//   say = "CPU usage is {{system.cpu/usage_percent|fixed1}} %: too high."
//   [[agent.step.choose]]
//   say = "All is well."
//
// A step or a choice says (`say`, which ends the run) or calls (`call`). A call with `each = "fs.list/entries"` is made for every element,
// which is `item` in its arguments, at most `limit` (16) times.
//
// {{...}} begins with a variable and goes on as a JSON pointer:
//   query, agent, params      what the run was asked
//   TOOL                      the newest result of that tool in this run: {{fs.list/entries/0/path}}
//   all/TOOL                  all its results, as an array
//   results                   all results of this run, in order
//   item, number              inside a loop: the element, and its place from 1
// and may end with a format: |round |fixed1 |bytes |count |json. A text repeats with {{#each PATH}}...{{/each}} or {{#each PATH limit 5}}.
// A text that is nothing but one placeholder keeps the value's type. A value that is not there fails the completion, and says where.
//
// op is one of < <= > >= == != contains exists missing. Two numbers compare as numbers, all else as text.
#pragma once
#include <string>

#include "model.hpp"

namespace agentd::script {

Script read_script(const std::string& path);
Script parse_script(const std::string& text, const std::string& name);

}  // namespace agentd::script
