// The tools of an agent: who offers them, which are allowed, how providers see them. Built once per list of tools and shared by the
// agent's runs, which keep the list they started with. Immutable; the engine thread only.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/port/provider.hpp"
#include "core/port/tool.hpp"
#include "core/tool/schema.hpp"

namespace agentd::tool {

// One toolset as an agent uses it.
struct Source {
  std::string name;         // "fs", "mcp.github"
  port::Toolset* toolset;   // outlives the catalog
  std::uint64_t scope = 0;  // from bind
  port::ToolList tools;
};

struct Tool {
  std::string name;         // "fs.read_file"
  std::string wire;         // as providers see it
  port::Toolset* toolset = nullptr;
  std::uint64_t scope = 0;
  port::ToolList list;      // keeps spec alive
  const port::ToolSpec* spec = nullptr;
  std::optional<Schema> schema;  // nothing: not allowed
  bool asks = false;             // allowed, once a person has said so of the call
  bool allowed() const { return schema.has_value(); }
};

class Catalog {
 public:
  Catalog() = default;
  // A tool whose schema cannot be handled is left out and told of in problems(). An error: two allowed tools with one wire name.
  static Result<Catalog> build(std::vector<Source> sources, const manifest::Tools& policy);

  // What a model may call, as a JSON array of functions; empty when there is nothing.
  std::string_view offered() const { return offered_; }
  const Tool* by_wire(std::string_view wire) const;
  const Tool* by_name(std::string_view full_name) const;
  const std::vector<Tool>& tools() const { return tools_; }
  const std::vector<std::string>& problems() const { return problems_; }

  // A model's request judged: its tool found, the policy asked, its arguments checked. What does not fit is refused with words for
  // the model; index is the request's place in the answer.
  event::CallAsked judge(const port::ToolRequest& request, std::size_t index) const;

 private:
  std::vector<Tool> tools_;
  std::unordered_map<std::string, std::size_t> by_wire_, by_name_;
  std::string offered_;
  std::vector<std::string> problems_;
};

// Answers that ask for more calls than this have the rest refused.
inline constexpr std::size_t kMostCallsOfAnAnswer = 64;
// Arguments longer than this are refused unread.
inline constexpr std::size_t kLongestArguments = 8 << 20;

}  // namespace agentd::tool
