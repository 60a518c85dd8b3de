#include "shelf.hpp"

#include <agentd/sdk/words.hpp>

#include <nlohmann/json.hpp>

#include "stores/points/key.hpp"
#include "stores/points/ranking.hpp"

namespace agentd::qdrant {
namespace {

using nlohmann::json;
using points::Near, points::Row, points::Version;

constexpr int kNotFound = 404, kConflict = 409;
constexpr std::uint64_t kTurns = 1u << 21;

// Ranges are compared as floating point, which a position is too large for: its two halves are not.
std::uint64_t at(std::uint64_t position) { return position / kTurns; }
std::uint64_t turn(std::uint64_t position) { return position % kTurns; }

const json& version_fields() {
  static const auto fields = json::array({"position", "revision", "space"});
  return fields;
}

json is(const char* key, const json& value) { return {{"key", key}, {"match", {{"value", value}}}}; }
json is_below(const char* key, std::uint64_t value) { return {{"key", key}, {"range", {{"lt", value}}}}; }
json is_any(const char* key, const json& values) { return {{"key", key}, {"match", {{"any", values}}}}; }

json all_of(json conditions) { return {{"must", std::move(conditions)}}; }

json conditions(const sdk::MemoryQuery& query) {
  auto all = json::array({is("agent", query.agent_id)});
  if (!query.session_id.empty()) all.push_back(is("session", query.session_id));
  if (query.type != sdk::MemoryType::any) all.push_back(is("type", static_cast<int>(query.type)));
  if (!query.id.empty()) all.push_back(is("id", query.id));
  if (query.before != 0)
    all.push_back({{"should", json::array({is_below("at", at(query.before)), all_of(json::array({is("at", at(query.before)), is_below("turn", turn(query.before))}))})}});
  return all;
}
const json& newest_first() {
  static const json order = {{"key", "position"}, {"direction", "desc"}};
  return order;
}

Version version(const json& point) {
  const auto& payload = point.at("payload");
  return {point.at("id").get<std::string>(), payload.at("position").get<std::uint64_t>(), std::stoull(payload.at("revision").get<std::string>()), payload.at("space").get<std::string>()};
}
Row row(const json& point) {
  const auto& payload = point.at("payload");
  Row row{version(point), {}};
  auto& e = row.entry;
  e.agent_id = payload.at("agent").get<std::string>(), e.session_id = payload.at("session").get<std::string>(), e.id = payload.at("id").get<std::string>();
  e.text = payload.at("text").get<std::string>(), e.json = payload.at("json").get<std::string>();
  e.type = static_cast<sdk::MemoryType>(payload.at("type").get<int>());
  e.created_ms = payload.at("created_ms").get<std::int64_t>();
  e.position = row.version.position;
  return row;
}
template <class T>
std::vector<T> each(const json& points, T (*read)(const json&)) {
  std::vector<T> all;
  for (const auto& point : points) all.push_back(read(point));
  return all;
}

json words_in(const std::string& text) {
  std::set<std::string> different;
  for (auto& word : sdk::words_of(text)) different.insert(points::term(std::move(word)));
  return different;
}

json payload(const Row& row) {
  const auto& e = row.entry;
  return {{"agent", e.agent_id}, {"session", e.session_id}, {"type", static_cast<int>(e.type)}, {"id", e.id}, {"text", e.text}, {"json", e.json}, {"created_ms", e.created_ms},
          {"position", row.version.position}, {"at", at(row.version.position)}, {"turn", turn(row.version.position)},
          {"revision", std::to_string(row.version.revision)}, {"space", row.version.space}, {"words", words_in(e.text)}};
}

}  // namespace

std::string Collections::of(const std::string& space) const { return entries_ + "-" + points::short_name(space); }
bool Collections::are_made(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return made_.contains(name);
}
void Collections::note(const std::string& name) {
  const std::lock_guard lock(mutex_);
  made_.insert(name);
}
void Collections::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  made_.erase(name);
}

struct QdrantShelf::Index {
  const char* field;
  json schema;
};

// Both requests are right to repeat, and right where another host does the same.
void QdrantShelf::make(const std::string& collection, const json& vectors, std::initializer_list<Index> indexes) {
  if (collections_.are_made(collection)) return;
  const json request = {{"vectors", vectors}};
  const auto made = conversation_.ask("PUT", "/collections/" + collection, &request);
  if (!made.is_fine() && made.status != kConflict && conversation_.ask("GET", "/collections/" + collection, nullptr).status == kNotFound) conversation_.refused(made);
  for (const auto& index : indexes) conversation_.put("/collections/" + collection + "/index?wait=true", {{"field_name", index.field}, {"field_schema", index.schema}});
  collections_.note(collection);
}

void QdrantShelf::open() {
  const json tenant = {{"type", "keyword"}, {"is_tenant", true}};
  make(collections_.entries(), json::object(),
       {{"agent", tenant}, {"session", "keyword"}, {"type", "integer"}, {"id", "keyword"}, {"position", "integer"}, {"at", "integer"}, {"turn", "integer"}, {"words", "keyword"}});
}

void QdrantShelf::put_points(const std::string& collection, const json& points) {
  const json request = {{"points", points}};
  const auto answer = conversation_.ask("PUT", "/collections/" + collection + "/points?wait=true", &request);
  if (answer.is_fine()) return;
  if (answer.status != kNotFound) conversation_.refused(answer);
  collections_.forget(collection);
  throw sdk::Error("somebody took collection \"" + collection + "\" away; it is made again", sdk::Failure::retryable);
}
void QdrantShelf::delete_points(const std::string& collection, const std::vector<std::string>& keys) {
  const json request = {{"points", keys}};
  const auto answer = conversation_.ask("POST", "/collections/" + collection + "/points/delete?wait=true", &request);
  if (!answer.is_fine() && answer.status != kNotFound) conversation_.refused(answer);
}

json QdrantShelf::asked(const std::string& path, const json& request) {
  const auto answer = conversation_.ask("POST", path, &request);
  if (answer.status == kNotFound) return json::object();
  if (!answer.is_fine()) conversation_.refused(answer);
  return answer.json().at("result");
}
json QdrantShelf::scroll(const json& request) {
  open();  // without its indexes nothing is sorted
  const auto result = asked("/collections/" + collections_.entries() + "/points/scroll", request);
  return result.value("points", json::array());
}
json QdrantShelf::retrieve(const std::vector<std::string>& keys, const json& with_payload) {
  if (keys.empty()) return json::array();
  return asked("/collections/" + collections_.entries() + "/points", {{"ids", keys}, {"with_payload", with_payload}});
}

std::vector<Version> QdrantShelf::versions(const std::vector<std::string>& keys) { return each(retrieve(keys, version_fields()), version); }
std::vector<Row> QdrantShelf::rows(const std::vector<std::string>& keys) { return each(retrieve(keys, true), row); }

std::uint64_t QdrantShelf::newest(const std::string& agent, std::uint64_t from) {
  const auto points = scroll({{"filter", all_of(json::array({is("agent", agent)}))}, {"order_by", newest_first()}, {"limit", 1}, {"with_payload", version_fields()}});
  const auto found = points.empty() ? 0 : version(points[0]).position;
  return found >= from ? found : 0;
}

void QdrantShelf::keep(const std::vector<Row>& rows) {
  open();
  json points = json::array();
  for (const auto& row : rows) points.push_back({{"id", row.version.key}, {"vector", json::object()}, {"payload", payload(row)}});
  put_points(collections_.entries(), points);
}

std::vector<Row> QdrantShelf::page(const sdk::MemoryQuery& query, std::size_t limit) {
  return each(scroll({{"filter", all_of(conditions(query))}, {"order_by", newest_first()}, {"limit", limit}, {"with_payload", true}}), row);
}

std::vector<Row> QdrantShelf::candidates(const sdk::MemoryQuery& query, const points::Phrases& phrases, std::size_t limit) {
  json words = json::array();
  for (const auto& phrase : phrases) words.push_back(points::term(phrase.front()));
  auto all = conditions(query);
  all.push_back(is_any("words", words));
  return each(scroll({{"filter", all_of(std::move(all))}, {"order_by", newest_first()}, {"limit", limit}, {"with_payload", true}}), row);
}

std::vector<Version> QdrantShelf::fitting(const sdk::MemoryQuery& query, std::size_t limit) {
  return each(scroll({{"filter", all_of(conditions(query))}, {"limit", limit}, {"with_payload", version_fields()}}), version);
}

void QdrantShelf::drop(const std::vector<std::string>& keys) { delete_points(collections_.entries(), keys); }

std::optional<std::uint64_t> QdrantShelf::dimensions(const std::string& space) {
  const auto answer = conversation_.ask("GET", "/collections/" + collections_.of(space), nullptr);
  if (answer.status == kNotFound) return std::nullopt;
  if (!answer.is_fine()) conversation_.refused(answer);
  return answer.json().at("/result/config/params/vectors/size"_json_pointer).get<std::uint64_t>();
}

bool QdrantShelf::drop_empty(const std::string& space) {
  const auto collection = collections_.of(space);
  const auto counted = asked("/collections/" + collection + "/points/count", {{"exact", true}});
  if (counted.value("count", 0u) > 0) return false;
  const auto answer = conversation_.ask("DELETE", "/collections/" + collection, nullptr);
  if (!answer.is_fine() && answer.status != kNotFound) conversation_.refused(answer);
  collections_.forget(collection);
  return true;
}

void QdrantShelf::keep_vectors(const std::string& space, const std::vector<Row>& rows) {
  const auto collection = collections_.of(space);
  make(collection, {{"size", rows.front().entry.vector.size()}, {"distance", "Cosine"}}, {{"agent", {{"type", "keyword"}, {"is_tenant", true}}}, {"session", "keyword"}, {"type", "integer"}});
  json points = json::array();
  for (const auto& row : rows)
    points.push_back({{"id", points::vector_key(row.version.key, row.version.revision)}, {"vector", row.entry.vector},
                      {"payload", {{"agent", row.entry.agent_id}, {"session", row.entry.session_id}, {"type", static_cast<int>(row.entry.type)}, {"entry", row.version.key}, {"revision", std::to_string(row.version.revision)}, {"space", space}}}});
  put_points(collection, points);
}

std::vector<Near> QdrantShelf::nearest(const sdk::MemoryQuery& query, std::size_t limit) {
  const auto result = asked("/collections/" + collections_.of(query.space) + "/points/query",
                            {{"query", query.vector}, {"filter", all_of(conditions(query))}, {"limit", limit}, {"with_payload", json::array({"entry", "revision"})}});
  std::vector<Near> near;
  for (const auto& point : result.value("points", json::array())) {
    const auto& payload = point.at("payload");
    near.push_back({payload.at("entry").get<std::string>(), std::stoull(payload.at("revision").get<std::string>()), point.at("score").get<double>()});
  }
  return near;
}

void QdrantShelf::drop_vectors(const std::string& space, const std::vector<std::string>& keys) { delete_points(collections_.of(space), keys); }

}  // namespace agentd::qdrant
