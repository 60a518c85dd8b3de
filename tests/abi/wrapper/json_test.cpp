#include <agentd/sdk/json.hpp>
#include <gtest/gtest.h>

using namespace agentd::sdk;

namespace {

std::string refusal(std::string_view text, void (*read)(Json)) {
  try {
    read(Json(text));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(JsonView, FindsMembersByTheirDecodedNames) {
  const Json json(R"( {"a": 1, "wi\u0064th": [true, {"x": "y"}], "a": 2} )");
  EXPECT_EQ(json["a"].integer<int>(), 1);
  EXPECT_EQ(json["width"][1]["x"].string(), "y");
  EXPECT_FALSE(json["missing"]);
  EXPECT_FALSE(json["a"]["b"]);
  EXPECT_FALSE(json["width"][2]);
}

TEST(JsonView, DecodesEscapes) {
  EXPECT_EQ(Json(R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")").string(), "\"\\/\b\f\n\r\té😀");
}

TEST(JsonView, FindsTheEndOfAStringAndWhatIsEscapedAtEveryOffset) {
  for (std::size_t size = 0; size < 27; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      const auto with = [&](std::string_view inside) { return '"' + std::string(at, 'x').append(inside).append(size - at, 'y') + '"'; };
      const auto plain = [&](std::string_view inside) { return std::string(at, 'x').append(inside).append(size - at, 'y'); };
      EXPECT_EQ(Json(with("\\n")).string(), plain("\n"));
      EXPECT_EQ(Json(with("\xc3\xa9\x7f ~")).string(), plain("\xc3\xa9\x7f ~"));
      for (const char* broken : {"\n", "\x1f", "\"", "\\"}) EXPECT_FALSE(Json(with(broken)).valid()) << with(broken);
    }
  }
}

TEST(JsonView, ReplacesHalfASurrogatePair) {
  EXPECT_EQ(Json(R"("\ud83d")").string(), "\uFFFD");
  EXPECT_EQ(Json(R"("\ude00x")").string(), "\uFFFDx");
  EXPECT_EQ(Json(R"("\ud83dA")").string(), "\uFFFDA");
  EXPECT_EQ(Json(R"("\ud83d\n")").string(), "\uFFFD\n");
}

TEST(JsonView, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "[1 2]", "01", "1.", ".5", "+1", "1e", "nul", "truee", "\"a", "\"\n\"",
                           "\"\\x\"", "\"\\u12g4\"", "[1] x", "'a'", "NaN", "-"}) {
    EXPECT_FALSE(Json(text).valid()) << text;
  }
  EXPECT_EQ(refusal(R"("\x")", [](Json j) { (void)j.string(); }), R"(not valid JSON near x")");
  EXPECT_EQ(refusal(R"("\u12g4")", [](Json j) { (void)j.string(); }), R"(not valid JSON near g4")");
  EXPECT_EQ(refusal("[1, ", [](Json j) { j.elements([](Json) {}); }), "not valid JSON at its end");
}

TEST(JsonView, AllowsSixtyFourLevels) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(Json(nested(64)).valid());
  EXPECT_FALSE(Json(nested(65)).valid());
  EXPECT_FALSE(Json(std::string(1000000, '[')).valid());
}

TEST(JsonView, ReadsIntegersAsJsonSchemaDoes) {
  EXPECT_EQ(Json("3.0").integer<int>(), 3);
  EXPECT_EQ(Json("1e3").integer<int>(), 1000);
  EXPECT_EQ(Json("-0").integer<unsigned>(), 0u);
  EXPECT_EQ(Json("18446744073709551615").integer<uint64_t>(), 18446744073709551615u);
  for (const char* text : {"3.5", "128", "-129", "1e400"}) EXPECT_THROW((void)Json(text).integer<int8_t>(), Error) << text;
  EXPECT_THROW((void)Json("-1").integer<unsigned>(), Error);
  EXPECT_THROW((void)Json("9007199254740993.0").integer<int64_t>(), Error);  // as a double it is another number
}

TEST(JsonView, ReadsDoublesToTheirLimits) {
  EXPECT_EQ(Json("1.5").number(), 1.5);
  EXPECT_EQ(Json("1e-400").number(), 0);
  EXPECT_THROW((void)Json("1e400").number(), Error);
}

TEST(JsonView, SaysWhatItWanted) {
  EXPECT_EQ(refusal(R"("x")", [](Json j) { (void)j.number(); }), R"(expected a number, got "x")");
  EXPECT_EQ(refusal("", [](Json j) { (void)j.boolean(); }), "expected a boolean, got nothing");
  EXPECT_EQ(refusal("300", [](Json j) { (void)j.integer<uint8_t>(); }), "expected an integer in range, got 300");
}

TEST(JsonReader, ReadsWhatItIsAskedForAndPassesOverTheRest) {
  JsonReader reader(R"( {"skip": {"a": [1, {}]}, "na\u006de": "x\ny", "list": [ 1, {"in": "it"}, [] ], "last": null} )");
  std::string name, inner;
  int elements = 0;
  std::vector<std::string> names;
  reader.members([&](std::string_view member) {
    names.emplace_back(member);
    if (member == "name") name = reader.string();
    if (member != "list") return;
    reader.elements([&] {
      ++elements;
      if (reader.kind() == Json::Kind::object) reader.members([&](std::string_view) { inner = reader.string(); });
    });
  });
  reader.end();
  EXPECT_EQ(names, (std::vector<std::string>{"skip", "name", "list", "last"}));
  EXPECT_EQ(name, "x\ny");
  EXPECT_EQ(elements, 3);
  EXPECT_EQ(inner, "it");
}

TEST(JsonReader, GivesAValueWhole) {
  JsonReader reader(R"({"a": {"b": 2} , "c": 1})");
  std::string text;
  reader.members([&](std::string_view name) {
    if (name == "a") text = reader.value().text();
  });
  EXPECT_EQ(text, R"({"b": 2})");
}

std::string broken(std::string_view text) {
  try {
    JsonReader reader(text);
    reader.members([](std::string_view) {});
    reader.end();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  EXPECT_EQ(broken("{}"), "");
  for (const char* text : {"{", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":[1 2]}", "{\"a\":tru}", "{\"a\":1,}"})
    EXPECT_EQ(broken(text).substr(0, 14), "not valid JSON") << text;
  EXPECT_EQ(broken("{} x"), "not valid JSON near x");
  EXPECT_EQ(broken("[1]"), "expected an object, got [1]");
}

void descend(JsonReader& reader) {
  reader.elements([&] { descend(reader); });
}

TEST(JsonReader, AllowsSixtyFourLevelsHoweverTheyAreRead) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  const auto read = [&](std::size_t n) {
    const auto text = nested(n);
    JsonReader reader(text);
    descend(reader);
  };
  EXPECT_NO_THROW(read(64));
  EXPECT_THROW(read(65), Error);
  const auto passed_over = nested(64);
  JsonReader reader(passed_over);
  EXPECT_NO_THROW(reader.elements([] {}));
  const auto too_deep = nested(65);
  JsonReader another(too_deep);
  EXPECT_THROW(another.elements([] {}), Error);
}

TEST(WriteString, EscapesAndRepairs) {
  std::string out;
  write_string(out, std::string_view("\"\\\n\x01 é\xff\xed\xa0\x80", 11));
  EXPECT_EQ(out, "\"\\\"\\\\\\u000a\\u0001 é\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

}  // namespace
