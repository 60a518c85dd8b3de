#include <openssl/evp.h>

#include <array>

#include "core/base/json_text.hpp"
#include "core/manifest/agent_keys.hpp"
#include "core/manifest/agents.hpp"
#include "core/manifest/config_keys.hpp"

namespace agentd::manifest {
namespace {

std::string schema_text(const TableKeys& keys, const char* title) {
  Json schema = schema_of(keys);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = title;
  return schema.dump(2);
}

}  // namespace

std::string canonical(const AgentSpec& spec) {
  const AgentSpec plain;
  return write_table(agent_keys(), &spec, &plain, false).dump();
}

Result<AgentSpec> parse_canonical(std::string_view text) {
  if (!is_json(text)) return fail("a stored manifest is not JSON");
  Reader reader{.read_file = {}, .canonical = true, .problems = {}, .notes = {}};
  AgentSpec spec;
  read_table(reader, from_json(Json::parse(text, nullptr, false), {}), agent_keys(), &spec);
  if (!reader.problems.empty()) return fail("a stored manifest cannot be read: " + reader.problems.front().message);
  return spec;
}

std::string content_hash(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) (out += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return out;
}

std::string manifest_schema() { return schema_text(agent_keys(), "agentd agent manifest"); }
std::string config_schema() { return schema_text(config_keys(), "agentd host configuration"); }

}  // namespace agentd::manifest
