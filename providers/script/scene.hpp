// What a script can see of a completion: the question, and the results of the tools that this run has called. Everything is taken from the
// conversation, so a run that goes on after a crash goes on in its script too.
#pragma once
#include <agentd/sdk/provider.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace agentd::script {

class Scene {
 public:
  explicit Scene(const sdk::Prompt& prompt);

  const std::string& agent() const { return agent_; }
  const std::string& query() const { return query_; }
  std::size_t answers() const { return answers_; }  // that this run has had so far
  std::size_t prompt_bytes() const { return prompt_bytes_; }

  // The name by which the model was offered a tool that the script calls "toolset.tool".
  std::string wire_name(std::string_view tool) const;

  // An offered tool that this name, which none has, is a slip of the finger away from; empty: there is none.
  std::string nearest_tool(std::string_view tool) const;

  // The value at a path; nothing when it is not there. Valid as long as the scene.
  sdk::Json find(const Path& path) const;
  // In place of one that is not there, as far as the path leads: "fs.read_file has path, size, text".
  std::string what_is_there(const Path& path) const;

  // Inside a loop. One at a time; a loop in a loop puts the outer one back.
  struct Element {
    sdk::Json item;
    std::size_t number = 0;
  };
  std::optional<Element> element;

 private:
  struct Result {
    std::string tool;  // by its wire name
    sdk::Json value;
  };
  void read(const sdk::Prompt& prompt);
  std::size_t first_of_run(const sdk::Prompt& prompt) const;
  void read_question(sdk::Json message);
  void read_calls(sdk::Json message);
  void read_result(sdk::Json message);
  sdk::Json keep(std::string text) const;
  sdk::Json keep_list(const std::vector<sdk::Json>& values) const;
  sdk::Json variable(const Path& path, std::size_t& used) const;

  std::string agent_, run_, query_;
  sdk::Json params_;
  std::vector<std::string> offered_;
  std::vector<std::pair<std::string, std::string>> calls_;  // id, wire name
  std::vector<Result> results_;
  std::size_t answers_ = 0, prompt_bytes_ = 0;
  mutable std::deque<std::string> texts_;  // what the views look at
};

}  // namespace agentd::script
