// The SDK's JSON view on any bytes: it never reads outside the text, never loops, and what it writes it reads back.
#include <agentd/sdk/types.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace agentd::sdk;

namespace {

enum class Unit { metres, feet };
AGENTD_CHOICES(Unit, {"m", Unit::metres}, {"ft", Unit::feet})

struct Box {
  double width = 1;
  int8_t small = 0;
  uint64_t large = 0;
  std::optional<std::string> label;
  std::vector<Unit> units;
  std::map<std::string, std::vector<bool>> flags;
  AGENTD_FIELDS(width, small, large, label, units, flags)
};

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

template <class F>
void attempt(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    const std::string_view message = e.what();
    expect(valid_utf8(message) == message, "an error's message is UTF-8");
  }
}

// Visits everything as what it claims to be.
void walk(Json json, int depth) {
  expect(depth <= 70, "depth is bounded");
  switch (json.kind()) {
    case Json::Kind::object:
      return json.members([&](std::string_view, Json value) { walk(value, depth + 1); });
    case Json::Kind::array:
      return json.elements([&](Json value) { walk(value, depth + 1); });
    case Json::Kind::string: (void)json.string(); return;
    case Json::Kind::number: (void)json.number(); return;
    case Json::Kind::boolean: (void)json.boolean(); return;
    default: return;
  }
}

// The same, once and in one go: every other value is left to be passed over.
void read(JsonReader& reader, int depth) {
  expect(depth <= 70, "depth is bounded");
  bool leave = depth % 2 == 1;
  const auto next = [&] {
    if (leave = !leave; !leave) read(reader, depth + 1);
  };
  switch (reader.kind()) {
    case Json::Kind::object: return reader.members([&](std::string_view) { next(); });
    case Json::Kind::array: return reader.elements(next);
    case Json::Kind::string: (void)reader.string(); return;
    default: (void)reader.value(); return;
  }
}

void check_reader(std::string_view text, bool valid) {
  bool whole = false;
  attempt([&] {
    JsonReader reader(text);
    read(reader, 0);
    reader.end();
    whole = true;
  });
  expect(whole == valid, "a reader takes what is valid and nothing else");
}

void check_strings(std::string_view bytes) {
  std::string written;
  write_string(written, bytes);
  const Json json{written};
  expect(json.valid(), "a written string is valid JSON");
  expect(json.string() == valid_utf8(bytes), "a written string reads back");
}

void check_round_trip(Json json) {
  const Box box = from_json<Box>(json);
  const std::string once = to_json(box);
  expect(Json(once).valid(), "what is written is valid JSON");
  expect(to_json(from_json<Box>(Json(once))) == once, "what is written reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Json json(text);
  const bool valid = json.valid();
  bool walked = false;
  attempt([&] {
    walk(json, 0);
    walked = true;
  });
  if (valid) expect(walked || text.find_first_of("eE0123456789") != text.npos, "valid JSON can be walked, unless a number is out of range");
  check_reader(text, valid);
  attempt([&] { (void)json["width"]; });
  attempt([&] { (void)json[2]; });
  attempt([&] { (void)json.integer<int16_t>(); });
  attempt([&] { (void)json.integer<uint64_t>(); });
  attempt([&] { check_round_trip(json); });
  attempt([&] { expect(to_json(from_json<Raw>(json)) == json.text(), "raw text passes through"); });
  attempt([&] { detail::refuse_unknown_fields<Box>(json); });
  check_strings(text);
  return 0;
}
