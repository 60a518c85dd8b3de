#include "tests/support/endpoint/embeddings.hpp"

#include <agentd/sdk/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace agentd::endpoint {
namespace {

using sdk::Json;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash ^ hash >> 32;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) > 127;
    if (is_letter) word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    else if (!word.empty()) words.push_back(std::exchange(word, {}));
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::vector<float> vector_of(const Scenario& scenario, std::string_view text) {
  std::vector<float> vector(static_cast<std::size_t>(scenario.dimensions));
  for (const auto& word : words_of(text)) {
    const auto same = scenario.means.find(word);
    vector[fnv1a(same == scenario.means.end() ? word : same->second) % vector.size()] += 1;
  }
  float square = 0;
  for (const float value : vector) square += value * value;
  if (square == 0) vector.front() = square = 1;
  for (float& value : vector) value /= std::sqrt(square);
  return vector;
}

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t b = 0; b < 3; ++b) three = three << 8 | (i + b < bytes.size() ? static_cast<unsigned char>(bytes[i + b]) : 0U);
    for (std::size_t d = 0; d < 4; ++d) out += i + d > bytes.size() ? '=' : kDigits[three >> (18 - 6 * d) & 63];
  }
}

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
  if (base64) {
    std::string bytes;
    for (const float value : vector) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      for (int b = 0; b < 4; ++b) bytes += static_cast<char>(bits >> (8 * b) & 0xff);
    }
    out += '"';
    append_base64(out, bytes);
    out += '"';
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) (out += i > 0 ? "," : "") += std::to_string(vector[i]);
  out += ']';
}

}  // namespace

Reply embed(const Scenario& scenario, std::string_view body) try {
  if (!scenario.embeddings.empty()) return misbehave(scenario.embeddings, scenario, {}, 0);
  const Json asked(body);
  const auto format = asked["encoding_format"];
  const bool base64 = format && format.string() == "base64";
  std::vector<std::string> texts;
  if (asked["input"].kind() == Json::Kind::string) texts.push_back(asked["input"].string());
  else asked["input"].elements([&](Json text) { texts.push_back(text.string()); });
  if (asked["model"].string().empty()) return refuse(400, "invalid_request_error", "invalid_request", "you must provide a model parameter");
  if (texts.empty() || texts.size() > 2048) return refuse(400, "invalid_request_error", "invalid_request", "'input' takes 1 to 2048 texts");
  std::size_t tokens = 0;
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = texts.size(); i-- > 0;) {
    if (texts[i].empty()) return refuse(400, "invalid_request_error", "invalid_request", "'input' cannot be an empty string");
    tokens += words_of(texts[i]).size();
    out += R"({"object":"embedding","index":)" + std::to_string(i) + ",\"embedding\":";
    append_vector(out, vector_of(scenario, texts[i]), base64);
    out += i > 0 ? "}," : "}";
  }
  out += R"(],"model":)";
  sdk::write_string(out, asked["model"].string());
  const auto count = std::to_string(tokens * static_cast<std::size_t>(scenario.usage));
  return whole(200, out + R"(,"usage":{"prompt_tokens":)" + count + R"(,"total_tokens":)" + count + "}}");
} catch (const sdk::Error& e) {
  return refuse(400, "invalid_request_error", "invalid_request", e.what());
}

}  // namespace agentd::endpoint
