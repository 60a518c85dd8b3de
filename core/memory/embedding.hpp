// Text as vectors of one model: where it lies in meaning.
#pragma once
#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/async.hpp"
#include "core/manifest/host_config.hpp"
#include "core/port/provider.hpp"

namespace agentd::memory {

using Vector = std::vector<float>;

// The vectors that were asked for last. Beyond `most_bytes` it forgets the one that was used longest ago.
class VectorCache {
 public:
  explicit VectorCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  const Vector* find(const std::string& key);  // until the next keep
  void keep(const std::string& key, Vector vector);
  std::size_t bytes() const { return bytes_; }

 private:
  using Latest = std::list<std::pair<std::string, Vector>>;
  static std::size_t size_of(const Latest::value_type& kept);
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  Latest latest_;  // first
  std::unordered_map<std::string, Latest::iterator> places_;
};

// One request to an endpoint, as it ended.
struct EmbeddingCall {
  std::string agent_id;  // for whom
  std::string provider, model;
  std::string error;     // why it failed; empty: it was answered
  std::optional<port::Usage> usage;
  NanoDollars cost = 0;
  Millis duration{0};
};

// The engine thread only; outlives whoever asks it. An endpoint that has failed is left alone for a while, so that not every run waits
// for it: who asks meanwhile is told at once.
class Embedder {
 public:
  static constexpr std::size_t kMostTexts = 2048;            // of one request: no endpoint that speaks the usual format takes more
  static constexpr std::size_t kMostBytes = 256 << 10;       // likewise: OpenAI's take 300,000 tokens, and a token may be a byte
  static constexpr std::size_t kLongestText = 16 << 10;      // bytes: most models take 8,192 tokens; what is longer is known by its beginning
  static constexpr std::size_t kCacheBytes = 16 << 20;
  static constexpr int kTries = 3;

  struct Settings {
    std::string provider, model;
    Millis timeout{10'000};                                  // of one embedding, with all its tries
    std::optional<manifest::Prices> prices = {};
    std::function<void(const EmbeddingCall&)> told = {};     // of each request; empty: nobody is
  };
  Embedder(World world, port::Provider& provider, Settings settings);
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;

  // What names the vectors: those of different models are never compared.
  const std::string& space() const { return settings_.model; }
  const std::string& provider() const { return settings_.provider; }

  struct Embedded {
    std::vector<Vector> vectors;  // in the order of the texts
    int requests = 0;             // 0: all were known
    std::int64_t tokens = -1;     // -1: the endpoint did not say
    NanoDollars cost = 0;
  };
  // An error says in one sentence why there are none; whoever can go on without them does. Of texts that are the same one is sent.
  Async<Result<Embedded>> embed(std::string agent_id, std::vector<std::string> texts, Millis patience, std::stop_token stop);

 private:
  struct Wanted {
    std::vector<std::string> keys;                           // of the texts, in order
    std::vector<std::pair<std::string, std::string>> missing;  // key and text, each once
  };
  std::string key_of(std::string_view text) const;
  Wanted look_up(const std::vector<std::string>& texts, std::unordered_map<std::string, Vector>& known);
  Async<std::expected<port::Embedded, port::ModelError>> ask(std::string agent_id, std::vector<std::string> texts, Tick until, std::stop_token stop);
  NanoDollars cost_of(const port::Usage& usage) const;
  void close_for(const port::ModelError& error);

  const World world_;
  port::Provider& provider_;
  const Settings settings_;
  VectorCache cache_{kCacheBytes};
  Tick closed_until_{};
  std::string why_closed_;
  Millis probe_after_{0};  // the endpoint refuses the account
};

}  // namespace agentd::memory
