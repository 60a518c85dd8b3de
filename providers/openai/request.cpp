#include "request.hpp"

#include "embedding.hpp"

namespace agentd::openai {
namespace {

// The host takes answers of 4 MiB: what is whole has room for its escapes, a stream for what is around each of its many pieces.
constexpr uint64_t kMaxWholeBytes = 16u << 20, kMaxStreamBytes = 32u << 20;
// 2,048 texts of 3,072 dimensions, as numbers with all their digits.
constexpr uint64_t kMaxVectorsBytes = 160u << 20;

std::string host_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) throw sdk::Error("base_url \"" + url + "\" is not a URL: it begins with http:// or https://");
  const auto from = scheme + 3;
  return url.substr(from, url.find('/', from) - from);
}

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

// The message with what this provider had said beside it, so that a model gets its own reasoning back.
void append_message(std::string& out, const sdk::Message& message) {
  const auto text = message.text();
  const auto extra = message.extra_of("openai");
  const auto close = text.rfind('}');
  if (extra.size() <= 2 || extra.front() != '{' || close == text.npos) {
    out += text;
    return;
  }
  out += text.substr(0, close);
  out += ',';
  out += extra.substr(1);
}

void append_option(std::string& out, const char* key, sdk::Json value) {
  if (!value || value.is_null()) return;
  ((out += ",\"") += key) += "\":";
  out += value.text();
}

void append_options(std::string& out, sdk::Json options, const char* max_tokens_key) {
  options.members([&](std::string_view name, sdk::Json value) {
    if (value.is_null()) return;
    if (name == "temperature") append_option(out, "temperature", value);
    if (name == "reasoning_effort") append_option(out, "reasoning_effort", value);
    if (name == "max_output_tokens") append_option(out, max_tokens_key, value);
    if (name == "output_schema") {
      out += R"(,"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":)";
      out += value.text();
      out += "}}";
    }
  });
}

}  // namespace

RequestBuilder::RequestBuilder(const Settings& settings)
    : url_(without_slash(settings.base_url) + "/chat/completions"), embeddings_url_(without_slash(settings.base_url) + "/embeddings"), host_(host_of(settings.base_url)),
      stream_usage_(settings.stream_usage), encoding_format_(settings.encoding_format) {
  const auto usual = host_ == "api.openai.com" ? MaxTokensKey::max_completion_tokens : MaxTokensKey::max_tokens;
  max_tokens_key_ = settings.max_tokens_key.value_or(usual) == MaxTokensKey::max_tokens ? "max_tokens" : "max_completion_tokens";
  headers_.emplace_back("Content-Type", "application/json");
  if (!settings.api_key.empty()) headers_.emplace_back("Authorization", "Bearer " + settings.api_key.reveal());
  if (settings.organization) headers_.emplace_back("OpenAI-Organization", *settings.organization);
  if (settings.project) headers_.emplace_back("OpenAI-Project", *settings.project);
  for (const auto& [name, value] : settings.headers) headers_.emplace_back(name, value.reveal());
}

sdk::HttpRequest RequestBuilder::post(const std::string& url, std::string body) const {
  sdk::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.reserve(headers_.size() + 1);
  request.headers = headers_;
  request.body = std::move(body);
  return request;
}

sdk::HttpRequest RequestBuilder::build(const sdk::Prompt& prompt) const {
  auto request = post(url_, body(prompt));
  request.headers.emplace_back("X-Client-Request-Id", prompt.call_id());
  request.max_response_bytes = prompt.streamed() ? kMaxStreamBytes : kMaxWholeBytes;
  return request;
}

sdk::HttpRequest RequestBuilder::build(const sdk::Texts& texts) const {
  auto request = post(embeddings_url_, embedding_body(texts, encoding_format_));
  request.max_response_bytes = kMaxVectorsBytes;
  return request;
}

std::string RequestBuilder::body(const sdk::Prompt& prompt) const {
  std::size_t size = 256 + prompt.tools().size() + prompt.options().text().size();
  for (std::size_t i = 0; i < prompt.size(); ++i) size += prompt[i].text().size() + prompt[i].extra_of("openai").size() + 1;
  std::string out;
  out.reserve(size);
  out += "{\"model\":";
  sdk::write_string(out, prompt.model());
  out += ",\"messages\":[";
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (i > 0) out += ',';
    append_message(out, prompt[i]);
  }
  out += ']';
  const auto tools = prompt.tools();
  if (!tools.empty() && tools != "[]") (out += ",\"tools\":") += tools;
  if (const auto options = prompt.options()) append_options(out, options, max_tokens_key_);
  if (prompt.streamed()) {
    out += ",\"stream\":true";
    if (stream_usage_) out += R"(,"stream_options":{"include_usage":true})";
  }
  out += '}';
  return out;
}

}  // namespace agentd::openai
