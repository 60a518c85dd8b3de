#include "embedding.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "answer.hpp"

namespace agentd::openai {
namespace {

using sdk::Error;
using sdk::Json;
using sdk::JsonReader;

constexpr std::size_t kAroundAnInput = 8;

constexpr std::array<int8_t, 256> digits_of_base64() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = static_cast<int8_t>(i);
  return values;
}

std::string decode_base64(std::string_view text) {
  static constexpr auto kValues = digits_of_base64();
  if (text.size() % 4 != 0) throw Error("an embedding is not base64");
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) throw Error("an embedding is not base64");
    bits = bits << 6 | static_cast<uint32_t>(value);
    if ((held += 6) < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

std::vector<float> floats_of(std::string_view bytes) {
  if (bytes.size() % 4 != 0) throw Error("an embedding is not a whole number of 32-bit floats");
  std::vector<float> out(bytes.size() / 4);
  for (std::size_t i = 0; i < out.size(); ++i) {
    uint32_t bits = 0;
    for (std::size_t b = 4; b-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes[i * 4 + b]);
    std::memcpy(&out[i], &bits, sizeof bits);
  }
  return out;
}

std::vector<float> read_vector(JsonReader& body) {
  std::vector<float> out;
  if (body.kind() == Json::Kind::string) out = floats_of(decode_base64(body.string()));
  else body.elements([&] { out.push_back(static_cast<float>(body.value().number())); });
  if (out.empty()) throw Error("an embedding is empty");
  for (const float value : out)
    if (!std::isfinite(value)) throw Error("an embedding holds a value that is not finite");
  return out;
}

}  // namespace

std::string embedding_body(const sdk::Texts& texts, EncodingFormat format) {
  if (texts.size() > kMostInputs) throw Error("an endpoint takes at most " + std::to_string(kMostInputs) + " texts at once, not " + std::to_string(texts.size()));
  std::size_t size = 128 + texts.model().size();
  for (std::size_t i = 0; i < texts.size(); ++i) size += texts[i].size() + kAroundAnInput;
  std::string out;
  out.reserve(size);
  out += "{\"model\":";
  sdk::write_string(out, texts.model());
  out += ",\"input\":[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    sdk::write_string(out, texts[i]);
  }
  out += R"(],"encoding_format":")";
  out += format == EncodingFormat::base64 ? "base64\"}" : "float\"}";
  return out;
}

sdk::Vectors read_vectors(std::string_view text, std::size_t count) {
  sdk::Vectors out;
  out.values.resize(count);
  std::size_t found = 0;
  bool has_data = false;
  JsonReader body(text);
  body.members([&](std::string_view name) {
    if (name == "model" && body.kind() == Json::Kind::string) out.model = body.string();
    if (name == "usage" && body.kind() == Json::Kind::object) out.usage = read_usage(body.value());
    if (name != "data" || body.kind() != Json::Kind::array) return;
    has_data = true;
    body.elements([&] {
      std::size_t index = found;  // where it is not said, they come in order
      std::vector<float> vector;
      body.members([&](std::string_view key) {
        if (key == "index" && body.kind() == Json::Kind::number) index = body.value().integer<std::size_t>();
        if (key == "embedding") vector = read_vector(body);
      });
      if (vector.empty()) throw Error("embedding " + std::to_string(index) + " is missing");
      if (index >= count) throw Error("it holds an embedding " + std::to_string(index) + " of " + std::to_string(count) + " texts");
      if (!out.values[index].empty()) throw Error("it holds embedding " + std::to_string(index) + " twice");
      out.values[index] = std::move(vector);
      ++found;
    });
  });
  body.end();
  if (!has_data) throw Error("it holds no data");
  if (found != count) throw Error("it holds " + std::to_string(found) + " embeddings for " + std::to_string(count) + " texts");
  for (const auto& vector : out.values)
    if (vector.size() != out.values.front().size())
      throw Error("it holds embeddings of " + std::to_string(out.values.front().size()) + " and of " + std::to_string(vector.size()) + " dimensions");
  return out;
}

}  // namespace agentd::openai
