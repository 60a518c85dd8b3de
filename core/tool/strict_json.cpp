#include "core/tool/strict_json.hpp"

#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostValues = 1'000'000;  // a value takes up to a hundred bytes of memory where it took two of text
constexpr std::size_t kLongestShown = 64;
constexpr int kNumberOverflow = 406;  // nlohmann's number of this error

std::string shown(std::string_view text) { return json_string(clip_utf8(text, kLongestShown)); }

// Builds the value while the parser reads, and stops it at the first thing that is not allowed.
class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(Integers integers) : integers_(integers) {}
  json root;
  std::string wrong;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (integers_ == Integers::of_64_bits && text.find_first_of(".eE") == text.npos)
      return refuse("JSON with the integer " + std::string(clip_utf8(text, kLongestShown)) + ", which is beyond 64 bits");
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto& object = open_.back()->get_ref<json::object_t&>();
    const auto [place, fresh] = object.try_emplace(std::move(name));
    if (!fresh) return refuse("JSON with the key " + shown(place->first) + " twice in one object");
    named_ = &place->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    if (error.id == kNumberOverflow)
      return refuse("JSON with a number beyond what a double holds (at byte " + std::to_string(position) + ")");
    return refuse("not one valid JSON document (at byte " + std::to_string(position) + ")");
  }

 private:
  bool refuse(std::string words) {
    wrong = std::move(words);
    return false;
  }
  json* place(json value) {
    if (open_.empty()) return &(root = std::move(value));
    if (open_.back()->is_object()) return &(*named_ = std::move(value));
    auto& array = open_.back()->get_ref<json::array_t&>();
    return &array.emplace_back(std::move(value));
  }
  bool put(json value) {
    if (++values_ > kMostValues) return refuse("JSON of more than " + std::to_string(kMostValues) + " values");
    place(std::move(value));
    return true;
  }
  bool open(json value) {
    if (open_.size() == kDeepest) return refuse("JSON that nests deeper than " + std::to_string(kDeepest));
    if (++values_ > kMostValues) return refuse("JSON of more than " + std::to_string(kMostValues) + " values");
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const Integers integers_;
  std::vector<json*> open_;  // an array does not grow while one of its elements is open, so these stay where they are
  json* named_ = nullptr;
  std::size_t values_ = 0;
};

}  // namespace

Result<json> parse_strict(std::string_view text, Integers integers) {
  // nlohmann takes a NUL for the end and leaves the rest unread.
  if (const auto nul = text.find('\0'); nul != text.npos)
    return fail(ErrorClass::schema, "not one valid JSON document (a NUL at byte " + std::to_string(nul + 1) + ")");
  if (text.starts_with("\xef\xbb\xbf"))  // nor does RFC 8259 have it, which nlohmann passes over
    return fail(ErrorClass::schema, "not one valid JSON document (a byte order mark at its beginning)");
  Builder builder(integers);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) return fail(ErrorClass::schema, builder.wrong);
  return std::move(builder.root);
}

}  // namespace agentd::tool
