#include "shelf.hpp"

#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "stores/points/key.hpp"
#include "stores/points/ranking.hpp"

namespace agentd::chroma {
namespace {

using nlohmann::json;
using points::Near, points::Row, points::Version;

constexpr int kNotFound = 404;
constexpr std::uint64_t kAll = INT64_MAX;
constexpr std::uint64_t kFirstWindow = std::uint64_t{60 * 60 * 1000} << 21;  // an hour, as positions count
constexpr std::uint64_t kWider = 16, kNarrower = 4;
constexpr std::size_t kLeast = 256;

json all_of(json conditions) { return conditions.size() == 1 ? conditions[0] : json{{"$and", conditions}}; }

json conditions(const sdk::MemoryQuery& query) {
  auto all = json::array({{{"agent", query.agent_id}}});
  if (!query.session_id.empty()) all.push_back({{"session", query.session_id}});
  if (query.type != sdk::MemoryType::any) all.push_back({{"type", static_cast<int>(query.type)}});
  if (!query.id.empty()) all.push_back({{"id", query.id}});
  return all;
}
json from(std::uint64_t position) { return {{"position", {{"$gte", position}}}}; }
json below(std::uint64_t position) { return {{"position", {{"$lt", position}}}}; }

json metadata(const Row& row) {
  const auto& e = row.entry;
  return {{"agent", e.agent_id}, {"session", e.session_id}, {"type", static_cast<int>(e.type)}, {"id", e.id}, {"text", e.text}, {"json", e.json}, {"created_ms", e.created_ms},
          {"position", row.version.position}, {"revision", std::to_string(row.version.revision)}, {"space", row.version.space}};
}
Row row(const std::string& key, const json& data) {
  Row row{{key, data.at("position").get<std::uint64_t>(), std::stoull(data.at("revision").get<std::string>()), data.at("space").get<std::string>()}, {}};
  auto& e = row.entry;
  e.agent_id = data.at("agent").get<std::string>(), e.session_id = data.at("session").get<std::string>(), e.id = data.at("id").get<std::string>();
  e.text = data.at("text").get<std::string>(), e.json = data.at("json").get<std::string>();
  e.type = static_cast<sdk::MemoryType>(data.at("type").get<int>());
  e.created_ms = data.at("created_ms").get<std::int64_t>();
  e.position = row.version.position;
  return row;
}

// With the usual 16 neighbours each, vectors that lie equally far from each other are not all reached, even where they are few.
json index() { return {{"space", "cosine"}, {"max_neighbors", 64}, {"ef_construction", 200}, {"ef_search", 200}}; }

// Chroma keeps no record without a vector. What an entry is given in the collection of entries is never asked for; it differs from record to record, since
// an index of equal ones is slow.
json placeholder(const std::string& key) {
  const auto part = [&key](std::size_t at) { return std::stoul(key.substr(at, 4), nullptr, 16) / 65535.0 + 0.01; };
  return json::array({part(0), part(9)});
}

std::vector<Version> versions_of(const std::vector<Row>& rows) {
  std::vector<Version> all;
  for (const auto& row : rows) all.push_back(row.version);
  return all;
}
void append(std::vector<Row>& rows, std::vector<Row> more) { std::ranges::move(more, std::back_inserter(rows)); }

}  // namespace

Collections::Collections(const Settings& settings) : window(kFirstWindow), path_("/api/v2/tenants/" + settings.tenant + "/databases/" + settings.database + "/collections"), entries_(settings.collection) {}
std::string Collections::of(const std::string& space) const { return entries_ + "-" + points::short_name(space); }
std::optional<std::string> Collections::id(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(name);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}
void Collections::note(const std::string& name, const std::string& id) {
  const std::lock_guard lock(mutex_);
  ids_[name] = id;
}
void Collections::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  ids_.erase(name);
}

void ChromaShelf::open() { make(collections_.entries(), {{"of", "agentd"}}); }

std::string ChromaShelf::make(const std::string& collection, const json& metadata) {
  if (const auto id = collections_.id(collection)) return *id;
  const auto made = conversation_.post(collections_.path(), {{"name", collection}, {"get_or_create", true}, {"metadata", metadata}, {"configuration", {{"hnsw", index()}}}});
  const auto id = made.at("id").get<std::string>();
  collections_.note(collection, id);
  return id;
}

std::optional<json> ChromaShelf::found(const std::string& collection) {
  const auto answer = conversation_.ask("GET", collections_.path() + '/' + collection, nullptr);
  if (answer.status == kNotFound) {
    collections_.forget(collection);
    return std::nullopt;
  }
  if (!answer.is_fine()) conversation_.refused(answer);
  auto one = answer.json();
  collections_.note(collection, one.at("id").get<std::string>());
  return one;
}

std::optional<json> ChromaShelf::asked(const std::string& collection, const char* what, const json& request) {
  for (int again = 0; again < 2; ++again) {
    if (!collections_.id(collection) && !found(collection)) return std::nullopt;
    const auto answer = conversation_.ask("POST", collections_.path() + '/' + collections_.id(collection).value_or("gone") + '/' + what, &request);
    if (answer.is_fine()) return answer.json();
    if (answer.status != kNotFound) conversation_.refused(answer);
    collections_.forget(collection);  // somebody took it away, and may have made another of its name
  }
  return std::nullopt;
}

void ChromaShelf::upsert(const std::string& collection, const json& records) {
  if (!asked(collection, "upsert", records)) throw sdk::Error("somebody took collection \"" + collection + "\" away; it is made again", sdk::Failure::retryable);
}
void ChromaShelf::delete_records(const std::string& collection, const std::vector<std::string>& keys) { asked(collection, "delete", {{"ids", keys}}); }

std::vector<Row> ChromaShelf::got(const json& request) {
  std::vector<Row> rows;
  const auto all = asked(collections_.entries(), "get", request);
  if (!all) return rows;
  const auto& keys = all->at("ids");
  for (std::size_t i = 0; i < keys.size(); ++i) rows.push_back(row(keys[i].get<std::string>(), all->at("metadatas")[i]));
  return rows;
}

std::vector<Row> ChromaShelf::rows(const std::vector<std::string>& keys) {
  if (keys.empty()) return {};
  return got({{"ids", keys}, {"include", json::array({"metadatas"})}});
}
std::vector<Version> ChromaShelf::versions(const std::vector<std::string>& keys) { return versions_of(rows(keys)); }

std::uint64_t ChromaShelf::newest(const std::string& agent, std::uint64_t from_position) {
  std::uint64_t most = 0;
  for (const auto& row : got({{"where", all_of(json::array({{{"agent", agent}}, from(from_position)}))}, {"include", json::array({"metadatas"})}})) most = std::max(most, row.version.position);
  return most;
}

void ChromaShelf::keep(const std::vector<Row>& rows) {
  open();
  json ids = json::array(), embeddings = json::array(), documents = json::array(), metadatas = json::array();
  for (const auto& row : rows) {
    ids.push_back(row.version.key), embeddings.push_back(placeholder(row.version.key));
    documents.push_back(points::spaced(sdk::words_of(row.entry.text)) + ' '), metadatas.push_back(metadata(row));
  }
  upsert(collections_.entries(), {{"ids", ids}, {"embeddings", embeddings}, {"documents", documents}, {"metadatas", metadatas}});
}

// All at once where they are few. Else positions follow time, so that a stretch of it is asked for that is neither empty nor too full.
std::vector<Row> ChromaShelf::newest_of(const sdk::MemoryQuery& query, const json& document, std::size_t limit) {
  const auto most = std::max(limit * 2, kLeast);
  const auto between = [&](std::uint64_t low, std::uint64_t high, bool is_bounded) {
    auto where = conditions(query);
    if (low > 0) where.push_back(from(low));
    if (high < kAll) where.push_back(below(high));
    json request = {{"where", all_of(std::move(where))}, {"include", json::array({"metadatas"})}};
    if (is_bounded) request["limit"] = most + 1;
    if (!document.is_null()) request["where_document"] = document;
    return got(request);
  };
  std::uint64_t high = query.before == 0 ? kAll : std::min(query.before, kAll);
  auto rows = between(0, high, true);
  if (rows.size() > most) {
    rows.clear();
    const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()) << 21;
    for (std::uint64_t width = collections_.window; high > 0 && rows.size() < limit;) {
      const auto from_here = std::min(high, high == kAll ? now : kAll);
      const auto low = from_here > width ? from_here - width : 0;
      auto more = between(low, high, width > 1);
      if (more.size() > most && width > 1) {
        width = std::max<std::uint64_t>(width / kNarrower, 1);
        continue;
      }
      if (!more.empty()) collections_.window = width;
      append(rows, std::move(more));
      high = low;
      width = width > kAll / kWider ? kAll : width * kWider;
    }
  }
  std::ranges::sort(rows, std::greater(), [](const Row& row) { return row.version.position; });
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

std::vector<Row> ChromaShelf::page(const sdk::MemoryQuery& query, std::size_t limit) { return newest_of(query, nullptr, limit); }

std::vector<Row> ChromaShelf::candidates(const sdk::MemoryQuery& query, const points::Phrases& phrases, std::size_t limit) {
  auto any = json::array();
  for (const auto& phrase : phrases) any.push_back({{"$contains", points::spaced(phrase)}});
  return newest_of(query, any.size() == 1 ? any[0] : json{{"$or", any}}, limit);
}

std::vector<Version> ChromaShelf::fitting(const sdk::MemoryQuery& query, std::size_t limit) {
  return versions_of(got({{"where", all_of(conditions(query))}, {"limit", limit}, {"include", json::array({"metadatas"})}}));
}

void ChromaShelf::drop(const std::vector<std::string>& keys) { delete_records(collections_.entries(), keys); }

std::optional<std::uint64_t> ChromaShelf::dimensions(const std::string& space) {
  const auto collection = found(collections_.of(space));
  if (!collection || collection->at("dimension").is_null()) return std::nullopt;
  return collection->at("dimension").get<std::uint64_t>();
}

bool ChromaShelf::drop_empty(const std::string& space) {
  const auto name = collections_.of(space);
  const auto id = collections_.id(name);
  if (id && conversation_.get(collections_.path() + '/' + *id + "/count").get<std::uint64_t>() > 0) return false;
  const auto answer = conversation_.ask("DELETE", collections_.path() + '/' + name, nullptr);
  if (!answer.is_fine() && answer.status != kNotFound) conversation_.refused(answer);
  collections_.forget(name);
  return true;
}

void ChromaShelf::keep_vectors(const std::string& space, const std::vector<Row>& rows) {
  const auto collection = collections_.of(space);
  make(collection, {{"of", "agentd"}, {"space", space}});
  json ids = json::array(), embeddings = json::array(), metadatas = json::array();
  for (const auto& row : rows) {
    ids.push_back(points::vector_key(row.version.key, row.version.revision)), embeddings.push_back(row.entry.vector);
    metadatas.push_back({{"agent", row.entry.agent_id}, {"session", row.entry.session_id}, {"type", static_cast<int>(row.entry.type)}, {"entry", row.version.key}, {"revision", std::to_string(row.version.revision)}});
  }
  upsert(collection, {{"ids", ids}, {"embeddings", embeddings}, {"metadatas", metadatas}});
}

std::vector<Near> ChromaShelf::nearest(const sdk::MemoryQuery& query, std::size_t limit) {
  std::vector<Near> near;
  const auto all = asked(collections_.of(query.space), "query",
                         {{"query_embeddings", json::array({query.vector})}, {"n_results", limit}, {"where", all_of(conditions(query))}, {"include", json::array({"metadatas", "distances"})}});
  if (!all) return near;
  const auto& found = all->at("metadatas")[0];
  for (std::size_t i = 0; i < found.size(); ++i)
    near.push_back({found[i].at("entry").get<std::string>(), std::stoull(found[i].at("revision").get<std::string>()), 1 - all->at("distances")[0][i].get<double>()});
  return near;
}

void ChromaShelf::drop_vectors(const std::string& space, const std::vector<std::string>& keys) { delete_records(collections_.of(space), keys); }

}  // namespace agentd::chroma
