#include "host/api/replay_request.hpp"

#include <nlohmann/json.hpp>

#include "core/base/name_text.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kLongestName = 256;  // of a model, or a key

class ReplayReader {
 public:
  explicit ReplayReader(const Replayable& record) : record_(record) { asked_.how.from_step = record.first_step; }

  std::variant<ReplayRequest, Document> read(const Request& request) {
    if (!request.body.empty() && !parse(request.body)) return problem(400, "the body cannot be read as a JSON object", errors_);
    for (const auto& [member, value] : body_.items()) take(member, value);
    if (asked_.key.empty()) asked_.key = checked("key", request.header("idempotency-key"));
    if (!errors_.empty()) return problem(422, "the request for a replay cannot be understood", errors_);
    return std::move(asked_);
  }

 private:
  bool parse(const std::string& text) {
    auto parsed = tool::parse_strict(text);
    if (!parsed)
      errors_.push_back({"", "is " + parsed.error().message});
    else if (!parsed->is_object())
      errors_.push_back({"", R"(write an object: {"from_step": 2})"});
    else
      body_ = std::move(*parsed);
    return errors_.empty();
  }

  void take(const std::string& member, const nlohmann::json& value) {
    if (member != "model" && member != "from_step" && member != "live" && member != "key")
      return wrong(member, "is not known here; known are model, from_step, live, key");
    if (value.is_null()) return;
    if (member == "from_step") return take_step(value);
    if (member == "live")
      return value.is_boolean() ? void(asked_.how.live = value.get<bool>()) : wrong(member, "is true or false");
    if (!value.is_string()) return wrong(member, "is a string");
    if (member == "key")
      asked_.key = checked(member, value.get<std::string>());
    else
      take_model(checked(member, value.get<std::string>()));
  }

  void take_step(const nlohmann::json& value) {
    const bool is_one = value.is_number_integer() && value >= record_.first_step && value <= record_.last_step;
    if (is_one)
      asked_.how.from_step = value.get<int>();
    else
      wrong("from_step",
            "is a step of the record, " + std::to_string(record_.first_step) + " to " + std::to_string(record_.last_step));
  }

  // What stands before a slash is a provider: a model whose own name has one is written behind its provider's.
  void take_model(const std::string& text) {
    if (text.empty()) return;
    const auto slash = text.find('/');
    asked_.how.model = slash == text.npos ? text : text.substr(slash + 1);
    if (slash == text.npos) return;
    asked_.how.provider = text.substr(0, slash);
    if (asked_.how.provider.empty() || asked_.how.model.empty()) return wrong("model", "is MODEL or PROVIDER/MODEL");
    if (auto why = record_.unusable(asked_.how.provider); !why.empty()) wrong("model", "is PROVIDER/MODEL, and " + why);
  }

  std::string checked(const std::string& member, std::string name) {
    if (name.size() > kLongestName)
      wrong(member, "is longer than " + std::to_string(kLongestName) + " bytes");
    else if (const auto unfit = unfit_for_a_name(name); !unfit.empty())
      wrong(member, std::string(unfit));
    else
      return name;
    return {};
  }

  void wrong(const std::string& member, std::string detail) { errors_.push_back({pointer_to(member), std::move(detail)}); }

  const Replayable& record_;
  nlohmann::json body_ = nlohmann::json::object();
  ReplayRequest asked_;
  std::vector<InputError> errors_;
};

}  // namespace

std::variant<ReplayRequest, Document> read_replay_request(const Request& request, const Replayable& record) {
  return ReplayReader(record).read(request);
}

}  // namespace agentd::api
