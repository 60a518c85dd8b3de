#include "host/conformance/memory.hpp"

#include <array>
#include <cmath>
#include <string>

namespace agentd::conformance {
namespace {

using port::MemoryEntry, port::MemoryQuery, port::MemoryType;
using Ids = std::vector<std::string>;

constexpr const char* kAgent = "conformance";
constexpr std::array kOtherAgents = {"conformance_b", "conformance:b", "conformance%3ab", "conformance:entry"};

std::string shown(const Ids& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text.empty() ? "nothing" : text;
}

template <class T>
T given(Result<T> result, const std::string& what) {
  if (!result) throw Unmet(what + " failed: " + result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void expect(bool met, const std::string& what) {
  if (!met) throw Unmet("expected " + what);
}
void expect(const Ids& got, const Ids& wanted, const std::string& what) {
  if (got != wanted) throw Unmet(what + ": expected " + shown(wanted) + ", got " + shown(got));
}
void expect_at_most(std::size_t got, std::size_t limit, const std::string& what) {
  if (got > limit) throw Unmet(what + " with limit " + std::to_string(limit) + ": expected no more, got " + std::to_string(got));
}
const MemoryEntry& at(const std::vector<MemoryEntry>& all, std::size_t place, const std::string& what) {
  if (place >= all.size()) throw Unmet(what + ": expected " + std::to_string(place + 1) + " or more, got " + std::to_string(all.size()));
  return all[place];
}

MemoryQuery of(std::string agent = kAgent) {
  MemoryQuery q;
  q.agent_id = std::move(agent);
  return q;
}
MemoryQuery of_session(std::string session) {
  auto q = of();
  q.session_id = std::move(session);
  return q;
}

MemoryEntry entry(std::string id, std::string text, std::string session = "s", MemoryType type = MemoryType::episodic, std::string agent = kAgent) {
  MemoryEntry e;
  e.type = type;
  e.agent_id = std::move(agent);
  e.session_id = std::move(session);
  e.id = std::move(id);
  e.text = std::move(text);
  e.json = R"({"role":"user"})";
  e.created = Instant(Millis(1'700'000'000'123));
  return e;
}

// The store, without what an earlier check or an earlier life of it left.
class Trial {
 public:
  explicit Trial(MemoryBench& bench) : bench_(bench) { clear(); }
  ~Trial() {
    try {
      clear();
    } catch (const Unmet&) {  // what a store cannot remove it says where that is checked
    }
  }
  Trial(const Trial&) = delete;

  void put(std::vector<MemoryEntry> entries) { given(bench_.put(std::move(entries)), "put"); }
  void put(MemoryEntry e) { put(std::vector{std::move(e)}); }
  std::vector<MemoryEntry> list(MemoryQuery q = of()) { return given(bench_.list(std::move(q)), "list"); }
  Ids listed(MemoryQuery q = of()) { return ids(list(std::move(q))); }
  std::vector<MemoryEntry> search(std::string words, MemoryQuery q = of()) {
    q.text = words;
    return given(bench_.search(std::move(q)), "search for \"" + words + "\"");
  }
  Ids found(std::string words, MemoryQuery q = of()) { return ids(search(std::move(words), std::move(q))); }
  std::vector<MemoryEntry> nearest(MemoryQuery q) { return given(bench_.search(std::move(q)), "search by a vector"); }
  Ids near(MemoryQuery q) { return ids(nearest(std::move(q))); }
  // What is said of a put or a search that must be refused.
  std::string refusal(std::vector<MemoryEntry> entries) { return refused(bench_.put(std::move(entries)), "a put"); }
  std::string refusal(MemoryQuery q) { return refused(bench_.search(std::move(q)), "a search"); }
  std::uint64_t remove(MemoryQuery q) { return given(bench_.remove(std::move(q)), "remove"); }
  static Ids ids(const std::vector<MemoryEntry>& entries) {
    Ids all;
    for (const auto& e : entries) all.push_back(e.id);
    return all;
  }

 private:
  template <class T>
  static std::string refused(const Result<T>& result, const std::string& what) {
    expect(!result.has_value(), what + " with a vector of other dimensions than those of its space refused");
    expect(result.error().error_class == ErrorClass::terminal, what + " with a vector of other dimensions refused for good, got: " + result.error().message);
    return result.error().message;
  }
  void clear() {
    remove(of());
    for (const auto* agent : kOtherAgents) remove(of(agent));
  }
  MemoryBench& bench_;
};

void lists_newest_first(MemoryBench& bench) {
  Trial t(bench);
  expect(t.listed(), {}, "list before anything was put");
  t.put({entry("1", "one"), entry("2", "two")});
  t.put(entry("3", "three"));
  expect(t.listed(), {"3", "2", "1"}, "list after putting 1 and 2 together, then 3");
}

void gives_back_what_was_put(MemoryBench& bench) {
  Trial t(bench);
  auto put_in = entry("an id: \"1\" \xe2\x82\xac", "one \"quoted\" \xf0\x9f\x8c\x8d\n\t\\", "a session: \xe6\x9d\xb1", MemoryType::procedural);
  put_in.json = R"({"role":"assistant","n":[1, 2.50],"text":"\u00e9\n"})";
  t.put(put_in);
  const auto all = t.list();
  expect(all.size() == 1, "one entry in the list");
  const auto& got = all[0];
  expect(got.type == put_in.type, "the type that was put");
  expect(got.agent_id == put_in.agent_id, "the agent_id that was put");
  expect(got.session_id == put_in.session_id, "the session_id that was put, got \"" + got.session_id + "\"");
  expect(got.id == put_in.id, "the id that was put, got \"" + got.id + "\"");
  expect(got.text == put_in.text, "the text that was put, got \"" + got.text + "\"");
  expect(got.json == put_in.json, "the json that was put, byte for byte, got " + got.json);
  expect(got.created == put_in.created, "the created_ms that was put");
  expect(got.position > 0, "a position above 0");
}

void keeps_the_place_of_an_id_that_is_put_again(MemoryBench& bench) {
  Trial t(bench);
  t.put({entry("1", "apples"), entry("2", "two")});
  const auto place = at(t.list(), 1, "list after putting 1 and 2").position;
  t.put(entry("1", "pears", "other", MemoryType::long_term));
  expect(t.listed(), {"2", "1"}, "list after putting 1, 2 and 1 again");
  const auto all = t.list();
  const auto& again = at(all, 1, "list after putting 1, 2 and 1 again");
  expect(again.position == place, "the same position after an id is put again");
  expect(again.text == "pears", "the new text after an id is put again, got \"" + again.text + "\"");
  expect(t.found("apples"), {}, "search for words of the text that was replaced");
  expect(t.found("pears"), {"1"}, "search for words of the new text");
  expect(t.listed(of_session("s")), {"2"}, "list of the session that the entry has left");
  expect(t.listed(of_session("other")), {"1"}, "list of the session that the entry came to");
}

void takes_the_same_put_twice(MemoryBench& bench) {
  Trial t(bench);
  for (int i = 0; i < 2; ++i) t.put({entry("1", "apples"), entry("2", "pears")});
  expect(t.listed(), {"2", "1"}, "list after the same put twice");
  t.put({entry("3", "one"), entry("3", "another")});
  expect(t.listed(), {"3", "2", "1"}, "list after an id came twice in one put");
  expect(at(t.list(), 0, "list").text == "another", "the later of two entries with one id in one put");
}

void pages_backwards(MemoryBench& bench) {
  Trial t(bench);
  Ids wanted;
  for (int i = 1; i <= 25; ++i) {
    t.put(entry(std::to_string(i), "x", i % 2 ? "odd" : "even"));
    wanted.insert(wanted.begin(), std::to_string(i));
  }
  auto q = of();
  q.limit = 4;
  Ids seen;
  for (auto page = t.list(q); !page.empty() && seen.size() <= wanted.size(); page = t.list(q)) {
    expect_at_most(page.size(), q.limit, "list");
    for (const auto& e : page) seen.push_back(e.id);
    q.before = page.back().position;
  }
  expect(seen, wanted, "pages of 4, each before the last position of the one before");
  q = of_session("odd");
  q.limit = 2;
  const auto newest = t.list(q);
  expect_at_most(newest.size(), q.limit, "list of a session");
  q.before = at(newest, 1, "list of a session with 13 entries").position;
  expect(t.listed(q), {"21", "19"}, "the second page of 2 in one of two sessions");
}

void keeps_agents_apart(MemoryBench& bench) {
  Trial t(bench);
  t.put(entry("1", "apples"));
  for (const auto* agent : kOtherAgents) t.put(entry("1", "apples", "s", MemoryType::episodic, agent));
  t.put(entry("all", "pears"));
  for (const auto* agent : kOtherAgents) {
    expect(t.listed(of(agent)), {"1"}, "list of agent \"" + std::string(agent) + "\" beside others with the same id");
    expect(t.found("apples", of(agent)), {"1"}, "search of agent \"" + std::string(agent) + "\"");
    expect(t.remove(of(agent)) == 1, "one entry removed of agent \"" + std::string(agent) + "\"");
    expect(t.listed(of(agent)), {}, "list of an agent after all of it was removed");
  }
  expect(t.found("apples"), {"1"}, "search of an agent after those of others were removed");
}

void narrows_by_session_and_type(MemoryBench& bench) {
  Trial t(bench);
  t.put(entry("1", "apples", "s1"));
  t.put(entry("2", "apples", "s2"));
  t.put(entry("3", "apples", "s1", MemoryType::long_term));
  t.put(entry("4", "apples", "", MemoryType::procedural));
  auto q = of_session("s1");
  expect(t.listed(q), {"3", "1"}, "list of a session");
  q.type = MemoryType::long_term;
  expect(t.listed(q), {"3"}, "list of a type in a session");
  expect(t.found("apples", q), {"3"}, "search of a type in a session");
  q = of();
  q.type = MemoryType::procedural;
  expect(t.listed(q), {"4"}, "list of a type");
  expect(t.found("apples", q), {"4"}, "search of a type");
  expect(t.listed(), {"4", "3", "2", "1"}, "list of an agent, whatever session and type");
}

void finds_the_best_first(MemoryBench& bench) {
  Trial t(bench);
  t.put(entry("long", "the disk of the server is almost full, and so is everything else on this long list of complaints"));
  t.put(entry("short", "disk full"));
  t.put(entry("other", "the weather is fine"));
  expect(t.found("disk full"), {"short", "long"}, "search for \"disk full\", where a short text and a long one have both words");
  expect(t.found("anything about a full disk?"), {"short", "long"}, "search for \"anything about a full disk?\", where a short text and a long one have words of it");
  expect(t.found("nothing-like-it"), {}, "search for what nothing holds");
  const auto scored = t.search("disk full");
  const auto &best = at(scored, 0, "search for \"disk full\""), &next = at(scored, 1, "search for \"disk full\"");
  expect(best.score > next.score, "a larger score for what fits better, got " + std::to_string(best.score) + " for \"disk full\" and " + std::to_string(next.score) + " for the long text");
  auto q = of();
  q.limit = 1;
  expect_at_most(t.found("disk", q).size(), q.limit, "search");
}

void takes_queries_for_words(MemoryBench& bench) {
  Trial t(bench);
  t.put(entry("1", "salt AND pepper"));
  for (const char* words : {"\"", "\"\"", "AND", "NOT salt", "salt*", "text:salt", "(salt", "NEAR(salt", "^salt", "-salt", "a\"b", "{}", "!!!", "'", "%", "_", "\\", "salt & pepper | x"})
    t.found(words);
  expect(t.found("pepper)"), {"1"}, "search for a word with a mark behind it");
  expect(t.found("PEPPER"), {"1"}, "search for a word in capitals");
  expect(t.found(""), {}, "search for nothing");
  expect(t.found("   "), {}, "search for spaces");
}

void searches_in_every_language(MemoryBench& bench) {
  Trial t(bench);
  t.put(entry("ja", "\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xaf\xe6\x9a\x91\xe3\x81\x84"));                       // 東京は暑い
  t.put(entry("zh", "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd"));           // 今天天气很好
  t.put(entry("ru", "\xd0\xa1\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb5\xd1\x80 \xd1\x83\xd0\xbf\xd0\xb0\xd0\xbb"));  // Сервер упал
  t.put(entry("de", "Der Schl\xc3\xbcssel"));                                                              // Der Schlüssel
  expect(t.found("\xe6\x9d\xb1\xe4\xba\xac"), {"ja"}, "search for Japanese");                              // 東京
  expect(t.found("\xe5\xa4\xa9\xe6\xb0\x94"), {"zh"}, "search for Chinese");                               // 天气
  expect(t.found("\xd1\x81\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb5\xd1\x80"), {"ru"}, "search for Russian in lower case");
  expect(t.found("schl\xc3\xbcssel"), {"de"}, "search for German in lower case");
}

void removes_one_or_all_that_fit(MemoryBench& bench) {
  Trial t(bench);
  t.put({entry("1", "x"), entry("2", "x", "other"), entry("3", "x"), entry("4", "x", "other", MemoryType::long_term)});
  auto q = of();
  q.id = "1";
  expect(t.remove(q) == 1, "1 removed by its id");
  expect(t.remove(q) == 0, "0 removed by an id that is gone");
  expect(t.remove(of_session("s")) == 1, "1 removed: what was left of a session");
  expect(t.listed(), {"4", "2"}, "list after removing 1 by its id and a session");
  expect(t.found("x").size() == 2, "2 found after removing the others");
  q = of();
  q.type = MemoryType::long_term;
  expect(t.remove(q) == 1, "1 removed by its type");
  t.put(entry("5", "y"));
  expect(t.listed(), {"5", "2"}, "list after removing the newest and putting another");
}

void keeps_a_mebibyte(MemoryBench& bench) {
  Trial t(bench);
  std::string large;
  while (large.size() < (1 << 20)) large += "caf\xc3\xa9 " + std::to_string(large.size() % 1000) + ' ';
  auto put_in = entry("1", large + "needle");
  put_in.json = R"({"content":")" + large + "\"}";
  t.put(put_in);
  const auto all = t.list();
  expect(all.size() == 1 && all[0].text == put_in.text, "a text of 1 MiB as it was put");
  expect(all[0].json == put_in.json, "a json of 1 MiB as it was put");
  expect(t.found("needle"), {"1"}, "search for a word at the end of 1 MiB");
}

// ---- of vectors

using Vector = std::vector<float>;
constexpr const char* kSpace = "conformance";

MemoryEntry placed(MemoryEntry e, Vector vector, std::string space = kSpace) {
  e.vector = std::move(vector);
  e.space = std::move(space);
  return e;
}
MemoryEntry placed(std::string id, Vector vector) { return placed(entry(std::move(id), "x"), std::move(vector)); }
MemoryQuery by(Vector vector, MemoryQuery q = of(), std::string space = kSpace) {
  q.vector = std::move(vector);
  q.space = std::move(space);
  return q;
}

void finds_the_nearest_first(MemoryBench& bench) {
  Trial t(bench);
  t.put({placed("far", {-1, 0, 0.5}), placed("near", {3, 0.5, 0}), placed("across", {0, 0.2F, 0})});
  t.put(placed("same", {20, 0, 0}));
  auto q = by({0.5, 0, 0});
  expect(t.near(q), {"same", "near", "across", "far"}, "search by a vector: the nearest by cosine first, whatever their length");
  const auto scored = t.nearest(q);
  at(scored, 3, "search by a vector");
  for (const auto& [at, cosine] : {std::pair{0U, 1.0}, {1U, 0.986394}, {2U, 0.0}, {3U, -0.894427}})
    expect(std::abs(scored[at].score - cosine) < 1e-3, "the cosine " + std::to_string(cosine) + " as the score of \"" + scored[at].id + "\", got " + std::to_string(scored[at].score));
  q.text = "a text that counts for nothing";
  expect(t.near(q).size() == 4, "the text of a search with a vector to count for nothing");
  q.limit = 2;
  expect(t.near(q), {"same", "near"}, "search by a vector for at most 2");
}

void gives_back_what_was_put_with_a_vector(MemoryBench& bench) {
  Trial t(bench);
  auto put_in = placed("1", {1, 2});
  put_in.text = "one \xe2\x82\xac", put_in.json = R"({"n":[1, 2.50]})", put_in.type = MemoryType::procedural;
  t.put(put_in);
  const auto listed = t.list(), found = t.nearest(by({1, 2}));
  for (const auto* all : {&listed, &found}) {
    expect(all->size() == 1, "the one entry that was put with a vector");
    const auto& got = all->front();
    expect(got.type == put_in.type && got.session_id == put_in.session_id && got.text == put_in.text && got.json == put_in.json && got.created == put_in.created,
           "an entry with a vector as it was put");
    expect(got.position == listed[0].position && got.position > 0, "one position of it, above 0");
  }
}

void narrows_a_search_by_vector(MemoryBench& bench) {
  Trial t(bench);
  for (const auto* agent : kOtherAgents) t.put(placed(entry("1", "x", "s", MemoryType::episodic, agent), {1, 0}));
  t.put(placed(entry("1", "x", "s1"), {1, 0.1F}));
  t.put(placed(entry("2", "x", "s2"), {1, 0.2F}));
  t.put(placed(entry("3", "x", "s1", MemoryType::long_term), {1, 0.3F}));
  t.put(placed(entry("4", "x", "", MemoryType::procedural), {1, 0.4F}));
  expect(t.near(by({1, 0})), {"1", "2", "3", "4"}, "search by a vector in all of an agent, and in nothing of others");
  auto q = of_session("s1");
  expect(t.near(by({1, 0}, q)), {"1", "3"}, "search by a vector in a session");
  q.type = MemoryType::long_term;
  expect(t.near(by({1, 0}, q)), {"3"}, "search by a vector for a type in a session");
  q = of();
  q.type = MemoryType::procedural;
  q.limit = 1;
  expect(t.near(by({1, 0}, q)), {"4"}, "search by a vector for a type, where others are nearer");
  for (const auto* agent : kOtherAgents) expect(t.near(by({1, 0}, of(agent))), {"1"}, "search by a vector of agent \"" + std::string(agent) + "\"");
}

void replaces_vectors(MemoryBench& bench) {
  Trial t(bench);
  t.put({placed("1", {1, 0}), placed("2", {0, 1})});
  t.put(placed("1", {-1, 0.1F}));
  expect(t.near(by({1, 0})), {"2", "1"}, "search by a vector after an id was put again with another vector");
  auto moved = placed("2", {1, 0});
  moved.session_id = "other";
  t.put(moved);
  expect(t.near(by({1, 0}, of_session("s"))), {"1"}, "search by a vector in the session that an entry has left");
  expect(t.near(by({1, 0}, of_session("other"))), {"2"}, "search by a vector in the session that it came to");
  t.put(entry("1", "x"));
  expect(t.near(by({1, 0})), {"2"}, "search by a vector after an id was put again without one");
  expect(t.listed(), {"2", "1"}, "list after vectors were replaced");
  t.put(placed("1", {1, 0.1F}));
  expect(t.near(by({1, 0})), {"2", "1"}, "search by a vector after it was given back");
  t.put({placed("3", {1, 0.5}), entry("3", "x")});
  expect(t.near(by({1, 0})), {"2", "1"}, "search by a vector after an id came twice in one put, the second time without one");
}

void finds_nothing_without_a_vector(MemoryBench& bench) {
  Trial t(bench);
  expect(t.near(by({1, 0})), {}, "search by a vector before anything was put");
  t.put({entry("1", "apples"), placed(entry("2", "apples and pears"), {1, 0})});
  expect(t.near(by({1, 0})), {"2"}, "search by a vector beside an entry without one");
  expect(t.found("apples"), {"1", "2"}, "search for words among entries with a vector and without");
  t.put(placed(entry("1", "apples"), {1, 1}));
  expect(t.near(by({1, 0})), {"2", "1"}, "search by a vector after an entry got one");
}

void removes_vectors(MemoryBench& bench) {
  Trial t(bench);
  t.put({placed("1", {1, 0}), placed("2", {1, 0.1F}), placed("3", {1, 0.2F})});
  auto q = of();
  q.id = "1";
  expect(t.remove(q) == 1, "1 removed by its id");
  expect(t.near(by({1, 0})), {"2", "3"}, "search by a vector after the nearest was removed");
  t.put(placed("4", {1, 0}));
  q.id = "3";
  t.remove(q);
  expect(t.near(by({1, 0})), {"4", "2"}, "search by a vector after putting one and removing another");
  t.remove(of());
  expect(t.near(by({1, 0})), {}, "search by a vector after all were removed");
}

void keeps_spaces_apart(MemoryBench& bench) {
  Trial t(bench);
  t.put({placed("1", {1, 0}), placed(entry("2", "x"), {1, 0, 0}, "conformance:3"), placed(entry("3", "x"), {1, 0}, "conformance b \xe2\x82\xac")});
  expect(t.near(by({1, 0})), {"1"}, "search by a vector beside those of other spaces");
  expect(t.near(by({1, 0, 0}, of(), "conformance:3")), {"2"}, "search by a vector of another space and other dimensions");
  expect(t.near(by({1, 0}, of(), "conformance b \xe2\x82\xac")), {"3"}, "search by a vector of another space");
  expect(t.near(by({1, 0}, of(), "conformance nowhere")), {}, "search by a vector of a space that has none");
  t.put(placed(entry("1", "x"), {0, 0, 1}, "conformance:3"));
  expect(t.near(by({1, 0})), {}, "search by a vector after its entry moved to another space");
  expect(t.near(by({0, 0, 1}, of(), "conformance:3")), {"1", "2"}, "search by a vector after an entry came from another space");
}

void refuses_other_dimensions(MemoryBench& bench) {
  constexpr const char* kWide = "conformance wide";
  Trial t(bench);
  const auto wide = [](std::string id, Vector vector, std::string agent = kAgent) { return placed(entry(std::move(id), "x", "s", MemoryType::episodic, std::move(agent)), std::move(vector), kWide); };
  t.put(wide("1", {1, 0, 0}));
  const auto said = {t.refusal({entry("2", "x"), wide("3", {1, 0})}), t.refusal({wide("1", {1, 0, 0, 0}, kOtherAgents[0])}), t.refusal(by({1, 0}, of(), kWide))};
  for (const auto& message : said)
    expect(message.contains(kWide) && message.contains('3') && (message.contains('2') || message.contains('4')), "both numbers of dimensions and the space in what is said, got: " + message);
  t.refusal({placed(entry("4", "x"), {1, 0}, "conformance new"), placed(entry("5", "x"), {1, 0, 0}, "conformance new")});
  expect(t.listed(), {"1"}, "nothing put where a vector had other dimensions");
  expect(t.listed(of(kOtherAgents[0])), {}, "nothing put of another agent");
  expect(t.near(by({1, 0, 0}, of(), kWide)), {"1"}, "search by a vector after others were refused");
}

void keeps_many_dimensions(MemoryBench& bench) {
  constexpr std::size_t kDimensions = 1536, kEntries = 50;
  Trial t(bench);
  const auto slope = [](std::size_t of) {
    Vector v(kDimensions, 0.01F);
    v[of] = 1, v[kDimensions - 1 - of] = static_cast<float>(of) / kEntries;
    return v;
  };
  std::vector<MemoryEntry> entries;
  for (std::size_t i = 0; i < kEntries; ++i) entries.push_back(placed(entry(std::to_string(i), "x"), slope(i), "conformance 1536"));
  t.put(entries);
  for (const std::size_t i : {std::size_t{0}, kEntries / 2, kEntries - 1}) {
    const auto found = t.nearest(by(slope(i), of(), "conformance 1536"));
    expect(found.size() == kEntries && found[0].id == std::to_string(i), "the entry with just the vector that is searched by first, of 50 with 1536 dimensions, got " + shown(Trial::ids(found)));
    expect(found[0].score > 0.999 && found[1].score < 0.95, "its score 1, and that of others less");
  }
}

}  // namespace

std::span<const Check<MemoryBench>> vector_checks() {
  static constexpr std::array<Check<MemoryBench>, 9> kChecks = {{
      {"FindsTheNearestFirst", "finds by a vector what is nearest by cosine first", finds_the_nearest_first},
      {"GivesBackWhatWasPutWithAVector", "gives back what was put with a vector", gives_back_what_was_put_with_a_vector},
      {"NarrowsASearchByVector", "narrows a search by vector to agent, session and type", narrows_a_search_by_vector},
      {"ReplacesVectors", "replaces or drops the vector of an entry that is put again", replaces_vectors},
      {"FindsNothingWithoutAVector", "finds by a vector only entries that have one", finds_nothing_without_a_vector},
      {"RemovesVectors", "removes vectors with their entries", removes_vectors},
      {"KeepsSpacesApart", "keeps vectors of different spaces apart", keeps_spaces_apart},
      {"RefusesOtherDimensions", "refuses vectors of other dimensions than the space's, and puts nothing", refuses_other_dimensions},
      {"KeepsManyDimensions", "keeps vectors of 1,536 dimensions", keeps_many_dimensions},
  }};
  return kChecks;
}

std::span<const Check<MemoryBench>> memory_checks() {
  static constexpr std::array<Check<MemoryBench>, 12> kChecks = {{
      {"ListsNewestFirst", "lists the newest first", lists_newest_first},
      {"GivesBackWhatWasPut", "gives back what was put, byte for byte", gives_back_what_was_put},
      {"KeepsThePlaceOfAnIdThatIsPutAgain", "replaces an entry whose id is put again, and keeps its place", keeps_the_place_of_an_id_that_is_put_again},
      {"TakesTheSamePutTwice", "takes the same put twice", takes_the_same_put_twice},
      {"PagesBackwards", "gives pages that miss and repeat nothing", pages_backwards},
      {"KeepsAgentsApart", "keeps agents apart", keeps_agents_apart},
      {"NarrowsBySessionAndType", "narrows by session and type", narrows_by_session_and_type},
      {"FindsTheBestFirst", "finds what fits best first", finds_the_best_first},
      {"TakesQueriesForWords", "takes a query for words, not for a language", takes_queries_for_words},
      {"SearchesInEveryLanguage", "searches in every language", searches_in_every_language},
      {"RemovesOneOrAllThatFit", "removes one entry, or all that fit", removes_one_or_all_that_fit},
      {"KeepsAMebibyte", "keeps texts of 1 MiB", keeps_a_mebibyte},
  }};
  return kChecks;
}

}  // namespace agentd::conformance
