#include "host/conformance/memory.hpp"

#include <array>
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
  std::uint64_t remove(MemoryQuery q) { return given(bench_.remove(std::move(q)), "remove"); }
  static Ids ids(const std::vector<MemoryEntry>& entries) {
    Ids all;
    for (const auto& e : entries) all.push_back(e.id);
    return all;
  }

 private:
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
  const auto place = t.list().at(1).position;
  t.put(entry("1", "pears", "other", MemoryType::long_term));
  expect(t.listed(), {"2", "1"}, "list after putting 1, 2 and 1 again");
  const auto again = t.list().at(1);
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
  expect(t.list().front().text == "another", "the later of two entries with one id in one put");
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
    expect(page.size() <= q.limit, "at most limit entries in a page");
    for (const auto& e : page) seen.push_back(e.id);
    q.before = page.back().position;
  }
  expect(seen, wanted, "pages of 4, each before the last position of the one before");
  q = of_session("odd");
  q.limit = 2;
  q.before = t.list(q).back().position;
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
  t.put(entry("1", "the disk of the server is almost full, and so is everything else on this long list of complaints"));
  t.put(entry("2", "disk full"));
  t.put(entry("3", "the weather is fine"));
  expect(t.found("disk full"), {"2", "1"}, "search for \"disk full\": the short text with both words before the long one");
  expect(t.found("anything about a full disk?").front() == "2", "the text with the rare words first");
  expect(t.found("nothing-like-it"), {}, "search for what nothing holds");
  const auto scored = t.search("disk full");
  expect(scored[0].score > scored[1].score, "a larger score for what fits better");
  auto q = of();
  q.limit = 1;
  expect(t.found("disk", q).size() == 1, "at most limit entries of a search");
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

}  // namespace

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
