#include "host/batch_item.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/name_text.hpp"
#include "core/tool/strict_json.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kLongestItemKey = 128;
constexpr std::size_t kLongestItemQuery = 256 << 10;

void add(std::string& wrong, std::string_view text) { wrong += (wrong.empty() ? "" : "; ") + std::string(text); }

void read_text(const nlohmann::json& item, const char* member, std::size_t longest, std::string& to, std::string& wrong) {
  const auto found = item.find(member);
  if (found == item.end() || found->is_null()) return;
  if (!found->is_string()) return add(wrong, std::string(member) + " is a string");
  to = found->get<std::string>();
  if (to.size() > longest) add(wrong, std::string(member) + " is longer than " + std::to_string(longest) + " bytes");
}

}  // namespace

std::expected<BatchItem, std::string> read_batch_item(std::string_view line) {
  const auto parsed = tool::parse_strict(line);
  if (!parsed) return std::unexpected("the line is " + parsed.error().message);
  if (!parsed->is_object())
    return std::unexpected("an item is an object: {\"key\": \"...\", \"query\": \"...\", \"params\": {...}}");
  BatchItem item;
  std::string wrong;
  read_text(*parsed, "key", kLongestItemKey, item.key, wrong);
  read_text(*parsed, "query", kLongestItemQuery, item.query, wrong);
  if (const auto unfit = unfit_for_a_name(item.key); !unfit.empty()) add(wrong, "key " + std::string(unfit));
  if (item.key.starts_with('#')) add(wrong, "key begins like those of items without one; choose another");
  if (const auto params = parsed->find("params"); params != parsed->end() && !params->is_null()) {
    if (params->is_object())
      item.params = params->dump();
    else
      add(wrong, "params is an object");
  }
  for (const auto& [member, value] : parsed->items())
    if (member != "key" && member != "query" && member != "params")
      add(wrong, "\"" + member + "\" is not known here; known are key, query, params");
  if (!wrong.empty()) return std::unexpected(std::move(wrong));
  return item;
}

bool is_batch_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, fits);
}

std::string batch_prefix(std::string_view name) { return "batch:" + std::string(name) + '/'; }

bool is_kept_as_it_is(const port::Cleaner& cleaner, const std::string& batch_prefix) {
  auto cleaned = batch_prefix;
  cleaner.clean(cleaned);
  return cleaned == batch_prefix;
}

std::string key_of_line(std::int64_t line) {
  auto digits = std::to_string(line);
  return '#' + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits;
}

}  // namespace agentd::host
