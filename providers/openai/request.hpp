// The requests of a completion and of an embedding, as text. Messages are appended as they are: a conversation is never parsed to be sent.
#pragma once
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/provider.hpp>

#include <map>
#include <optional>
#include <string>

namespace agentd::openai {

enum class MaxTokensKey { max_tokens, max_completion_tokens };
AGENTD_CHOICES(MaxTokensKey, {"max_tokens", MaxTokensKey::max_tokens}, {"max_completion_tokens", MaxTokensKey::max_completion_tokens})

enum class EncodingFormat { floats, base64 };
AGENTD_CHOICES(EncodingFormat, {"float", EncodingFormat::floats}, {"base64", EncodingFormat::base64})

struct Settings {
  std::string base_url = "https://api.openai.com/v1";
  sdk::Secret api_key;                            // may be left out: local servers ask for none
  std::optional<std::string> organization, project;
  std::map<std::string, sdk::Secret> headers;     // sent with every request
  std::optional<MaxTokensKey> max_tokens_key;     // default: max_completion_tokens at api.openai.com, max_tokens elsewhere
  bool stream_usage = true;                       // false for servers that refuse stream_options
  EncodingFormat encoding_format = EncodingFormat::floats;  // of embeddings: base64 is a quarter of the bytes, and not every server has it
  AGENTD_FIELDS(base_url, api_key, organization, project, headers, max_tokens_key, stream_usage, encoding_format)
};

// What all requests of an instance share. Immutable.
class RequestBuilder {
 public:
  explicit RequestBuilder(const Settings& settings);  // throws sdk::Error
  sdk::HttpRequest build(const sdk::Prompt& prompt) const;
  sdk::HttpRequest build(const sdk::Texts& texts) const;
  const std::string& host() const { return host_; }   // of the base URL, for messages

 private:
  sdk::HttpRequest post(const std::string& url, std::string body) const;
  std::string body(const sdk::Prompt& prompt) const;

  std::string url_, embeddings_url_, host_;
  sdk::HttpHeaders headers_;
  const char* max_tokens_key_;
  bool stream_usage_;
  EncodingFormat encoding_format_;
};

}  // namespace agentd::openai
