#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/types.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

using namespace agentd::sdk;

namespace shapes {

enum class Unit { metres, feet, unnamed };
AGENTD_CHOICES(Unit, {"m", Unit::metres}, {"ft", Unit::feet})

struct Box {
  double width = 1, height = 2;
  std::optional<std::string> label;
  AGENTD_FIELDS(width, height, label)
};
struct Crate {
  Required<std::string> owner;
  std::vector<Box> boxes;
  Unit unit = Unit::feet;
  Secret key;
  AGENTD_FIELDS(owner, boxes,
                unit, key)
};

}  // namespace shapes

namespace {

using shapes::Box;
using shapes::Crate;
using shapes::Unit;

TEST(Types, MakeSchemas) {
  EXPECT_EQ(schema_of<int8_t>(), R"({"type":"integer","minimum":-128,"maximum":127})");
  EXPECT_EQ(schema_of<uint64_t>(), R"({"type":"integer","minimum":0})");
  EXPECT_EQ(schema_of<std::vector<bool>>(), R"({"type":"array","items":{"type":"boolean"}})");
  EXPECT_EQ((schema_of<std::map<std::string, float>>()), R"({"type":"object","additionalProperties":{"type":"number"}})");
  EXPECT_EQ(schema_of<Unit>(), R"({"type":"string","enum":["m","ft"]})");
  EXPECT_EQ(schema_of<Raw>(), "{}");
}

TEST(Types, LeaveBoundsOutThatTellAModelNothing) {
  EXPECT_EQ(schema_of<int>(), R"({"type":"integer"})");
  EXPECT_EQ(schema_of<int64_t>(), R"({"type":"integer"})");
  EXPECT_EQ(schema_of<uint32_t>(), R"({"type":"integer","minimum":0})");
  EXPECT_EQ(schema_of<uint16_t>(), R"({"type":"integer","minimum":0,"maximum":65535})");
  EXPECT_THROW((void)from_json<int>(Json("2147483648")), Error);
  EXPECT_THROW((void)from_json<uint32_t>(Json("-1")), Error);
}

TEST(Types, GiveAPathAsText) {
  const Path path("/srv/data");
  const std::string made(path), assigned = path;
  EXPECT_EQ(made, "/srv/data");
  EXPECT_EQ(assigned, path.text());
  EXPECT_FALSE(std::ifstream(path).is_open());
  EXPECT_EQ(schema_of<Required<Path>>(), R"({"type":"string","format":"path"})");
}

TEST(Types, ShowDefaultsButNoSecrets) {
  EXPECT_EQ(schema_of<Crate>(),
            R"({"type":"object","properties":{"owner":{"type":"string"},"boxes":{"type":"array","items":)"
            R"({"type":"object","properties":{"width":{"type":"number","default":1},"height":{"type":"number","default":2},)"
            R"("label":{"type":"string"}},"additionalProperties":false},"default":[]},"unit":{"type":"string","enum":["m","ft"],"default":"ft"},)"
            R"("key":{"type":"string","writeOnly":true}},"required":["owner"],"additionalProperties":false})");
}

TEST(Types, WriteALengthOfTimeAsPeopleDo) {
  using namespace std::chrono_literals;
  const auto text = [](std::chrono::milliseconds time) { return to_json(Duration{time}); };
  EXPECT_EQ(text(20s), R"("20s")");
  EXPECT_EQ(text(1500ms), R"("1500ms")");
  EXPECT_EQ(text(90s), R"("90s")");
  EXPECT_EQ(text(2h), R"("2h")");
  EXPECT_EQ(text(168h), R"("7d")");
  EXPECT_EQ(text(0s), R"("0s")");
  for (const auto time : {20'000ms, 1ms, 60'000ms, 3'600'001ms}) EXPECT_EQ(from_json<Duration>(Json(text(time))).value, time);
}

TEST(Types, ReadStructsWithTheirDefaults) {
  const auto crate = from_json<Crate>(Json(R"({"owner": "me", "boxes": [{"height": 5, "label": null}], "key": "k"})"));
  EXPECT_EQ(*crate.owner, "me");
  ASSERT_EQ(crate.boxes.size(), 1u);
  EXPECT_EQ(crate.boxes[0].width, 1);
  EXPECT_EQ(crate.boxes[0].height, 5);
  EXPECT_FALSE(crate.boxes[0].label);
  EXPECT_EQ(crate.unit, Unit::feet);
  EXPECT_EQ(crate.key.reveal(), "k");
}

template <class T>
std::string refusal(const char* text) {
  try {
    (void)from_json<T>(Json(text));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Types, SayWhereSomethingIsWrong) {
  EXPECT_EQ(refusal<Crate>("{}"), R"("owner" is missing)");
  EXPECT_EQ(refusal<Crate>(R"({"owner": "me", "boxes": [{}, {"width": "x"}]})"), R"(boxes: [1]: width: expected a number, got "x")");
  EXPECT_EQ(refusal<Crate>(R"({"owner": "me", "unit": "mile"})"), R"(unit: expected one of m, ft, got "mile")");
}

TEST(Types, WriteTheShortestNumberThatReadsBack) {
  EXPECT_EQ(to_json(0.1), "0.1");
  EXPECT_EQ(to_json(1e300), "1e+300");
  EXPECT_EQ(to_json(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(to_json(Box{1.5, 2, "é"}), R"({"width":1.5,"height":2,"label":"é"})");
  EXPECT_EQ(to_json(std::optional<int>()), "null");
}

TEST(Types, RefuseWhatJsonCannotHold) {
  EXPECT_THROW((void)to_json(std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_THROW((void)to_json(std::numeric_limits<float>::infinity()), Error);
  EXPECT_THROW((void)to_json(Unit::unnamed), Error);
  EXPECT_THROW((void)to_json(Raw{"{"}), Error);
  EXPECT_THROW((void)to_json(Secret("k")), Error);
}

}  // namespace
