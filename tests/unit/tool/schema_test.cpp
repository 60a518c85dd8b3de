#include "core/tool/schema.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <nlohmann/json.hpp>

namespace agentd::tool {
namespace {

using nlohmann::json;

Result<void> check(std::string_view schema, const json& value) {
  const auto compiled = Schema::compile(schema);
  EXPECT_TRUE(compiled) << schema << ": " << compiled.error().message;
  return compiled ? compiled->check(value) : Result<void>();
}

Result<void> check(std::string_view schema, const char* value) { return check(schema, json::parse(value)); }

std::string why(const auto& result) { return result ? "" : result.error().message; }

struct Keyword {
  const char* schema;
  std::vector<const char*> fits, fails;
};

TEST(Schema, KnowsTheKeywordsOfDraft7) {
  const Keyword keywords[] = {
      {"true", {"1", "null"}, {}},
      {"false", {}, {"1", "null"}},
      {"{}", {"1", "null"}, {}},
      {R"({"type":"integer"})", {"1", "-1", "3.0", "1e3", "18446744073709551615"}, {"3.5", "\"1\"", "true", "null"}},
      {R"({"type":"number"})", {"1", "1.5"}, {"\"1\""}},
      {R"({"type":["string","null"]})", {"\"\"", "null"}, {"0"}},
      {R"({"type":"object"})", {"{}"}, {"[]"}},
      {R"({"type":"array"})", {"[]"}, {"{}"}},
      {R"({"type":"boolean"})", {"true", "false"}, {"0", "\"true\""}},
      {R"({"enum":[1,"a",null,[1,{"b":2}]]})", {"1", "1.0", "\"a\"", "null", "[1.0,{\"b\":2}]"}, {"2", "\"b\"", "[1]", "true"}},
      {R"({"enum":[]})", {}, {"1"}},
      {R"({"const":{"a":1,"b":[false]}})", {R"({"b":[false],"a":1})"}, {"{}", R"({"a":1,"b":[0]})"}},
      {R"({"const":0})", {"0", "0.0", "-0.0"}, {"false", "1"}},
      {R"({"minimum":1.5})", {"1.5", "2", "\"\""}, {"1"}},
      {R"({"maximum":2})", {"2", "2.0"}, {"3", "2.1"}},
      {R"({"exclusiveMinimum":1})", {"1.1"}, {"1", "0"}},
      {R"({"exclusiveMaximum":1})", {"0"}, {"1", "1.0"}},
      {R"({"maximum":9007199254740992})", {"9007199254740992"}, {"9007199254740993"}},
      {R"({"minimum":-9223372036854775808,"maximum":18446744073709552000})",
       {"-9223372036854775808", "18446744073709551615"},
       {}},
      {R"({"multipleOf":0.01})", {"19.99", "1", "\"\""}, {"0.005"}},
      {R"({"multipleOf":0.123456789})", {}, {"1e308"}},
      {R"({"multipleOf":3})", {"0", "-9", "9223372036854775806"}, {"10", "9223372036854775807"}},
      {R"({"minLength":2,"maxLength":3})", {"\"ab\"", "\"\u00e4\u00f6\u00fc\"", "5"}, {"\"a\"", "\"abcd\"", "\"\U0001f600\""}},
      {R"({"pattern":"b+"})", {"\"abc\"", "7"}, {"\"ac\""}},
      {R"({"format":"date"})", {"\"2024-02-29\"", "1"}, {"\"2023-02-29\"", "\"2024-13-01\"", "\"24-01-01\"", "\"2024-01-01 \""}},
      {R"({"format":"time"})", {"\"23:59:60Z\"", "\"01:02:03.5+02:00\""}, {"\"24:00:00Z\"", "\"01:02:03\"", "\"01:02:03.Z\""}},
      {R"({"format":"date-time"})",
       {"\"2024-02-29T01:02:03Z\"", "\"2024-02-29t01:02:03-00:30\""},
       {"\"2024-02-29\"", "\"2024-02-29 01:02:03Z\""}},
      {R"({"format":"something of one's own"})", {"\"x\""}, {}},
      {R"({"items":{"type":"string"}})", {"[]", "[\"a\"]", "{}"}, {"[\"a\",1]"}},
      {R"({"items":[{"type":"string"},true],"additionalItems":{"type":"null"}})",
       {"[]", "[\"a\"]", "[\"a\",1,null]"},
       {"[1]", "[\"a\",1,1]"}},
      {R"({"items":[true],"additionalItems":false})", {"[1]"}, {"[1,2]"}},
      {R"({"additionalItems":false})", {"[1]"}, {}},
      {R"({"contains":{"minimum":5}})", {"[1,5]", "1"}, {"[]", "[1]"}},
      {R"({"minItems":1,"maxItems":2})", {"[1]", "[1,2]"}, {"[]", "[1,2,3]"}},
      {R"({"uniqueItems":true})",
       {"[1,2]", "[[1],[2]]", "[0,false]", "[\"1\",1]"},
       {"[1,1.0]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", "[[1],[1.0]]"}},
      {R"({"uniqueItems":false})", {"[1,1]"}, {}},
      {R"({"required":["a","b"]})", {R"({"a":1,"b":2})", "[]"}, {R"({"a":1})"}},
      {R"({"properties":{"a":{"type":"string"},"b":false}})", {R"({"a":""})", R"({"c":1})"}, {R"({"a":1})", R"({"b":1})"}},
      {R"({"properties":{"a":true},"patternProperties":{"^x":{"type":"null"}},"additionalProperties":{"type":"string"}})",
       {R"({"a":1,"xy":null,"z":""})"},
       {R"({"xy":""})", R"({"z":1})"}},
      {R"({"additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
      {R"({"properties":{"\u0000a":{"type":"string"},"$ref":{"type":"string"}}})",
       {R"({"\u0000a":"","$ref":""})"},
       {R"({"\u0000a":1})", R"({"$ref":1})"}},
      {R"({"propertyNames":{"maxLength":2}})", {R"({"ab":1})", "[]"}, {R"({"abc":1})"}},
      {R"({"minProperties":1,"maxProperties":2})", {R"({"a":1})"}, {"{}", R"({"a":1,"b":1,"c":1})"}},
      {R"({"dependencies":{"a":["b"],"c":{"required":["d"]}}})",
       {"{}", R"({"b":1})", R"({"a":1,"b":1})", R"({"c":1,"d":1})"},
       {R"({"a":1})", R"({"c":1})"}},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", {"1", "2"}, {"0", "3"}},
      {R"({"anyOf":[{"type":"string"},{"minimum":5}]})", {"\"a\"", "6"}, {"1"}},
      {R"({"oneOf":[{"minimum":2},{"multipleOf":2}]})", {"3", "0"}, {"4", "1"}},
      {R"({"not":{"type":"null"}})", {"1"}, {"null"}},
      {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":5}})", {"\"ab\"", "5", "null"}, {"\"a\"", "4"}},
      {R"({"if":false,"then":false})", {"1"}, {}},
      {R"({"then":false})", {"1"}, {}},
      {R"({"definitions":{"a/b":{"type":"string"},"c d":{"$ref":"#/definitions/a~1b"}},"items":{"$ref":"#/definitions/c%20d"}})",
       {"[\"x\"]"},
       {"[1]"}},
      {R"({"properties":{"a":{"minimum":1},"b":{"$ref":"#/properties/a","maximum":0}}})", {R"({"b":5})"}, {R"({"b":0})"}},
      {R"({"definitions":{"a":{"propertyNames":{"maxLength":2}}},"$ref":"#/definitions/a"})", {R"({"ab":1})"}, {R"({"abc":1})"}},
      {R"({"dependencies":{"a":{"required":["b"]},"c":{"required":["d"]}}})", {R"({"a":1,"b":1})"}, {R"({"c":1,"b":1})"}},
      {R"({"required":["\u0000a"],"dependencies":{"\u0000a":["\u0000b"]}})",
       {R"({"\u0000a":1,"\u0000b":1})"},
       {R"({"":1})", R"({"\u0000a":1,"":1})"}},
      {R"({"maxLength":2})", {R"("\u0000b")"}, {R"("\u0000bc")"}},
      {R"({"properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
       {R"({"next":{"next":{}}})"},
       {R"({"next":{"other":1}})"}},
  };
  for (const auto& [schema, fits, fails] : keywords) {
    for (const char* value : fits) EXPECT_EQ(why(check(schema, value)), "") << schema << " and " << value;
    for (const char* value : fails) EXPECT_FALSE(check(schema, value)) << schema << " and " << value;
  }
}

TEST(Schema, SaysWhereAndWhat) {
  const auto wrong = check(R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},"required":["b"]})",
                           R"({"a":["x",1]})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().error_class, ErrorClass::schema);
  EXPECT_EQ(wrong.error().message, "the value: \"b\" is missing; /a/1: expected string, got integer");
  EXPECT_EQ(why(check(R"({"properties":{"unit":{"enum":["C","F"]}},"additionalProperties":false})", R"({"unit":"K","x/y":1})")),
            "/unit: must be one of \"C\", \"F\"; /x~1y: is not known here; there are unit");
  EXPECT_EQ(why(check(R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "1")),
            "the value: expected string, got integer; the value: must be 5 or more; the value: fits none of the alternatives");
  EXPECT_EQ(why(check(R"({"items":{"allOf":[{"if":{"minimum":1},"then":{"maximum":1}}]}})", "[2]")), "/0: must be 1 or less");
  EXPECT_EQ(why(check(R"({"items":[{"dependencies":{"a/b":{"maxProperties":0}}}]})", R"([{"a/b":1}])")),
            "/0: Object should have no more than 0 properties.");
  EXPECT_EQ(why(check(R"({"oneOf":[true,true],"not":{}})", "1")),
            "the value: fits more than one of the alternatives, of which it must fit exactly one; the value: fits what it must "
            "not fit");
  EXPECT_EQ(why(check(R"({"properties":{"a/b":{"contains":{"const":1}}}})", R"({"a/b":[2]})")),
            "/a~1b: has no item of the kind that it must contain");
  EXPECT_EQ(why(check(R"({"propertyNames":{"format":"date"}})", R"({"x":1})")), "/x: is no date of RFC 3339");
}

TEST(Schema, TellsPlaceByPlaceWhatIsWrong) {
  const auto schema = Schema::compile(R"({"type":"object","properties":{"a/b":{"type":"array","items":{"type":"string"}}},"required":["unit"]})");
  const auto wrong = schema->misfits(json::parse(R"({"a/b":["x",7]})"));
  ASSERT_EQ(wrong.size(), 2U);
  EXPECT_EQ(wrong[0].pointer, "");
  EXPECT_TRUE(wrong[0].words.contains("unit")) << wrong[0].words;
  EXPECT_EQ(wrong[1].pointer, "/a~1b/1");
  EXPECT_TRUE(wrong[1].words.contains("string")) << wrong[1].words;
  EXPECT_TRUE(schema->misfits(json::parse(R"({"unit":1})")).empty());
}

TEST(Schema, TellsFiveProblemsOfMany) {
  const auto wrong = why(check(R"({"items":{"type":"string"}})", json(std::vector<int>(100'000, 7))));
  EXPECT_TRUE(wrong.contains("/4: ")) << wrong;
  EXPECT_FALSE(wrong.contains("/5: ")) << wrong;
}

TEST(Schema, RefusesWhatItCannotHandleAndSaysWhere) {
  const std::pair<const char*, const char*> broken[] = {
      {"", "not one valid JSON document"},
      {"{", "not one valid JSON document"},
      {"[]", "a JSON Schema is an object"},
      {R"({"type":5})", "/type: 5 is not a type"},
      {R"({"type":["string","text"]})", "/type: \"text\" is not a type"},
      {R"({"$ref":"http://example.com/x"})", "leads outside"},
      {R"({"$ref":"#name"})", "is no path"},
      {R"({"$ref":5})", "/$ref: a reference is a string"},
      {R"({"properties":{"a":{"$ref":"#/definitions/nowhere"}}})",
       "/properties/a: the reference \"#/definitions/nowhere\" leads nowhere"},
      {R"({"$ref":"#"})", "in a circle"},
      {R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}},"$ref":"#/definitions/a"})",
       "in a circle"},
      {R"({"pattern":"("})", "/pattern: the pattern \"(\""},
      {R"({"properties":{"a":{"pattern":"["}}})", "/properties/a/pattern: "},
      {R"({"patternProperties":{"(":{}}})", "/patternProperties/(: "},
      {R"({"required":"a"})", "/required: "},
      {R"({"required":[1]})", "/required: "},
      {R"({"minimum":"low"})", "/minimum: is a number"},
      {R"({"minLength":-1})", "/minLength: "},
      {R"({"maxItems":1.5})", "/maxItems: "},
      {R"({"multipleOf":0})", "/multipleOf: "},
      {R"({"enum":"a"})", "/enum: "},
      {R"({"properties":[]})", "/properties: "},
      {R"({"items":5})", "/items: "},
      {R"({"allOf":{}})", "/allOf: "},
      {R"({"anyOf":[{"not":3}]})", "/anyOf/0/not: "},
      {R"({"dependencies":{"a":1}})", "/dependencies/a: "},
      {R"({"uniqueItems":1})", "/uniqueItems: "},
      {R"({"format":1})", "/format: "},
  };
  for (const auto& [schema, words] : broken) {
    const auto compiled = Schema::compile(schema);
    EXPECT_FALSE(compiled) << schema;
    EXPECT_TRUE(why(compiled).contains(words)) << schema << ": " << why(compiled);
  }
}

// ---- what strangers write

// In seconds of this process: much more than any of these takes, also unoptimised and sanitized, and much less than without end.
template <class F>
void expect_quick(F f) {
  const auto start = std::clock();
  f();
  EXPECT_LT((std::clock() - start) / CLOCKS_PER_SEC, 60);
}

TEST(Schema, IsNotHeldUpByACatastrophicPattern) {
  const std::string trap = std::string(4000, 'a') + '!';
  for (const char* pattern : {"^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}$", "^([a-z]+)*@$", "(x+x+)+y"}) {
    expect_quick([&] { EXPECT_FALSE(check(json{{"pattern", pattern}}.dump(), json(trap))) << pattern; });
    expect_quick([&] {
      EXPECT_FALSE(check(json{{"patternProperties", {{pattern, true}}}, {"additionalProperties", false}}.dump(), json{{trap, 1}}))
          << pattern;
    });
  }
}

TEST(Schema, MatchesLongTextsWithoutALimitOfTheirOwn) {
  const std::string megabyte(1 << 20, 'a');
  EXPECT_TRUE(check(R"({"pattern":"^(a|b)*$"})", json(megabyte)));
  EXPECT_FALSE(check(R"({"pattern":"^(a|b)*$"})", json(megabyte + '!')));
  EXPECT_TRUE(check(R"({"properties":{"day":{"format":"date"},"id":{"pattern":"^x"}}})",
                    json{{"day", "2026-03-01"}, {"id", "x"}, {"text", megabyte}}));
}

TEST(Schema, GivesUpMatchingWhereItWouldTakeTooLong) {
  const std::string text(4 << 20, 'a');
  expect_quick([&] {
    const auto checked = check(R"({"pattern":"^(a|b)*a(a|b){200}c$"})", json(text));
    EXPECT_TRUE(why(checked).contains("too much work")) << why(checked);
  });
}

TEST(Schema, RefusesPatternsThatCannotBeMatchedInLinearTime) {
  for (const char* pattern : {"^(?=a)", "^(?!a)", "(?<=a)b", "(?<!a)b", R"((a)\1)", R"((?<n>a)\k<n>)"}) {
    const auto compiled = Schema::compile(json{{"properties", {{"a", {{"pattern", pattern}}}}}}.dump());
    EXPECT_TRUE(why(compiled).contains("/properties/a/pattern: ") && why(compiled).contains("linear time")) << why(compiled);
  }
}

TEST(Schema, RefusesPatternsThatAreTooLarge) {
  expect_quick([] {
    EXPECT_TRUE(why(Schema::compile(R"({"pattern":"^.{1,2000}$"})")).contains("maxLength"));
    EXPECT_TRUE(why(Schema::compile(R"({"pattern":"((a{30}){30}){30}"})")).contains("/pattern: "));
    EXPECT_TRUE(why(Schema::compile(R"({"pattern":"^[^a]{1000}[^b]{1000}[^c]{1000}$"})")).contains("too large"));
    json many, large;
    for (int i = 0; i < 101; ++i) many["properties"]["p" + std::to_string(i)]["pattern"] = "^" + std::to_string(i) + "$";
    EXPECT_TRUE(why(Schema::compile(many.dump())).contains("more than 100 patterns"));
    for (int i = 0; i < 50; ++i) large["properties"]["p" + std::to_string(i)]["pattern"] = "^" + std::to_string(i) + "[^a]{200}$";
    EXPECT_TRUE(why(Schema::compile(large.dump())).contains("too large together"));
  });
}

// Each definition stands twice in the one before it: 2^30 subschemas for one value.
std::string doubling(const char* keyword, int levels) {
  json schema = {{"$ref", "#/definitions/d0"}};
  for (int i = 0; i < levels; ++i) {
    const json next = {{"$ref", "#/definitions/d" + std::to_string(i + 1)}};
    schema["definitions"]["d" + std::to_string(i)] = {{keyword, {next, next}}};
  }
  schema["definitions"]["d" + std::to_string(levels)] = {{"type", "string"}};
  return schema.dump();
}

TEST(Schema, RefusesReferencesThatMultiply) {
  for (const char* keyword : {"allOf", "anyOf", "oneOf"})
    expect_quick([&] {
      const auto compiled = Schema::compile(doubling(keyword, 30));
      EXPECT_TRUE(why(compiled).contains("#/definitions/d") && why(compiled).contains("more than 10000 subschemas"))
          << why(compiled);
      EXPECT_TRUE(Schema::compile(doubling(keyword, 5)));
    });
}

TEST(Schema, RefusesASchemaThatComesBackToItselfForOneValue) {
  for (const char* schema :
       {R"({"allOf":[{"$ref":"#"}]})", R"({"not":{"$ref":"#"}})", R"({"anyOf":[true,{"if":true,"then":{"$ref":"#"}}]})",
        R"({"definitions":{"a":{"dependencies":{"x":{"$ref":"#/definitions/a"}}}},"items":{"$ref":"#/definitions/a"}})"})
    EXPECT_TRUE(why(Schema::compile(schema)).contains("comes back to itself")) << why(Schema::compile(schema));
}

json nested(int depth, json value) {
  for (int i = 0; i < depth; ++i) value = {{"a", std::move(value)}};
  return value;
}

TEST(Schema, GivesUpWhereSchemaAndValueMultiply) {
  const char* schema =
      R"({"definitions":{"n":{"type":"object","anyOf":[{"properties":{"a":{"$ref":"#/definitions/n"}}},{"properties":{"a":{"$ref":"#/definitions/n"}}}]}},"$ref":"#/definitions/n"})";
  expect_quick([&] {
    const auto checked = check(schema, nested(60, 5));
    EXPECT_TRUE(why(checked).contains("too much work")) << why(checked);
  });
}

TEST(Schema, ChecksValuesAsDeepAsTheyComeAndGivesUpBeforeTheStackEnds) {
  EXPECT_TRUE(check(R"({"type":"object","anyOf":[{"properties":{"a":{"$ref":"#"}}},false]})", nested(64, json::object())));
  json combined = {{"$ref", "#/definitions/d0"}};
  for (int i = 0; i < 60; ++i)
    combined["definitions"]["d" + std::to_string(i)]["allOf"][0]["$ref"] = "#/definitions/d" + std::to_string(i + 1);
  combined["definitions"]["d60"]["properties"]["a"]["$ref"] = "#/definitions/d0";
  expect_quick([&] {
    EXPECT_TRUE(check(combined.dump(), nested(5, json::object())));
    const auto checked = check(combined.dump(), nested(64, json::object()));
    EXPECT_TRUE(why(checked).contains("too much work")) << why(checked);
  });
}

TEST(Schema, DoesNotCollectWithoutEndWhatIsWrong) {
  json alternatives = {{"additionalProperties", false}}, many;
  for (int i = 0; i < 30; ++i) alternatives = {{"anyOf", {std::move(alternatives)}}};
  for (int i = 0; i < 300'000; ++i) many[std::to_string(i)] = 7;
  expect_quick([&] {
    EXPECT_FALSE(check(alternatives.dump(), many));
    EXPECT_FALSE(check(R"({"additionalProperties":false})", many));
  });
}

TEST(Schema, TakesNoLongerBelowALongName) {
  const json named = {{std::string(1 << 20, 'x'), json(std::vector<int>(300'000, 7))}};
  expect_quick([&] { EXPECT_FALSE(check(R"({"additionalProperties":{"items":{"anyOf":[{"type":"string"}]}}})", named)); });
}

TEST(Schema, NeitherHangsNorCrashesOnLargeValues) {
  json numbers = json::array(), texts = json::array();
  for (int i = 0; i < 30'000; ++i) numbers.push_back(i), texts.push_back(std::string(20, 'x') + std::to_string(i));
  json choices;
  for (int i = 0; i < 10'000; ++i) choices["items"]["enum"].push_back(std::string(10, 'y') + std::to_string(i));
  expect_quick([&] {
    EXPECT_TRUE(check(R"({"uniqueItems":true})", numbers));
    EXPECT_TRUE(check(R"({"uniqueItems":true})", texts));
    EXPECT_FALSE(check(choices.dump(), texts));
    EXPECT_FALSE(check(R"({"items":{"contains":{"const":7}}})", json(json::array({texts, texts, texts}))));
  });
}

TEST(Schema, RefusesWhatIsTooLargeToCompile) {
  EXPECT_TRUE(why(Schema::compile(R"({"description":")" + std::string(300 << 10, 'x') + "\"}")).contains("256 KiB"));
  std::string deep = "true", chain;
  for (int i = 0; i < 70; ++i) deep = R"({"not":)" + deep + '}';
  EXPECT_TRUE(why(Schema::compile(deep)).contains("deeper than 64"));
  json line = {{"$ref", "#/definitions/d0"}}, references = line, many;
  for (int i = 0; i < 5000; ++i) {
    line["definitions"]["d" + std::to_string(i)]["allOf"][0]["$ref"] = "#/definitions/d" + std::to_string(i + 1);
    references["definitions"]["d" + std::to_string(i)]["$ref"] = "#/definitions/d" + std::to_string(i + 1);
  }
  line["definitions"]["d5000"] = references["definitions"]["d5000"] = true;
  EXPECT_TRUE(why(Schema::compile(line.dump())).contains("combine more than 64 deep")) << why(Schema::compile(line.dump()));
  EXPECT_TRUE(why(Schema::compile(references.dump())).contains("more than 32 others"));
  for (int i = 0; i < 10'001; ++i) many["items"].push_back(true);
  EXPECT_TRUE(why(Schema::compile(many.dump())).contains("more than 10000 subschemas"));
}

TEST(Schema, FollowsALongLineOfPropertiesWithoutStack) {
  json schema = {{"$ref", "#/definitions/d0"}};
  for (int i = 0; i < 4000; ++i)
    schema["definitions"]["d" + std::to_string(i)]["properties"]["a"]["$ref"] = "#/definitions/d" + std::to_string(i + 1);
  schema["definitions"]["d4000"] = true;
  EXPECT_TRUE(Schema::compile(schema.dump()));
}

}  // namespace
}  // namespace agentd::tool
