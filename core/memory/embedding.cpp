#include "core/memory/embedding.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/base/json_text.hpp"
#include "core/budget/limits.hpp"

namespace agentd::memory {
namespace {

constexpr Millis kFirstDelay{250};
constexpr Millis kAfterAFailure{5'000};
constexpr Millis kFirstProbe{30'000}, kLongestProbe{900'000};  // as of any endpoint that refuses an account

bool is_of_the_account(port::Failure failure) { return failure == port::Failure::credentials || failure == port::Failure::quota; }

// Up to a quarter more, so that hosts that failed together do not come back together.
Millis delay_before(int next_try, std::optional<Millis> retry_after, std::uint64_t chance) {
  const Millis base = kFirstDelay * (1 << (next_try - 2));
  const Millis spread(static_cast<std::int64_t>(chance % 1024) * base.count() / 4096);
  return std::max(retry_after.value_or(Millis(0)), base + spread);
}

void add(std::int64_t& sum, std::int64_t tokens) {
  if (tokens >= 0) sum = std::max<std::int64_t>(sum, 0) + tokens;
}

}  // namespace

std::size_t VectorCache::size_of(const Latest::value_type& kept) { return kept.first.size() + kept.second.size() * sizeof(float); }

const Vector* VectorCache::find(const std::string& key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  latest_.splice(latest_.begin(), latest_, found->second);
  return &found->second->second;
}

void VectorCache::keep(const std::string& key, Vector vector) {
  if (find(key)) return;
  latest_.emplace_front(key, std::move(vector));
  places_.emplace(key, latest_.begin());
  bytes_ += size_of(latest_.front());
  while (bytes_ > most_bytes_) {
    bytes_ -= size_of(latest_.back());
    places_.erase(latest_.back().first);
    latest_.pop_back();
  }
}

Embedder::Embedder(World world, port::Provider& provider, Settings settings) : world_(world), provider_(provider), settings_(std::move(settings)) {}

// SHA-256 of the text: what is not the same text is never taken for it.
std::string Embedder::key_of(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();  // out of memory
  return settings_.model + '\n' + std::string(reinterpret_cast<const char*>(digest.data()), size);
}

Embedder::Wanted Embedder::look_up(const std::vector<std::string>& texts, std::unordered_map<std::string, Vector>& known) {
  Wanted wanted;
  for (const auto& whole : texts) {
    const auto text = clip_utf8(whole, kLongestText);
    wanted.keys.push_back(key_of(text));
    const auto& key = wanted.keys.back();
    if (known.contains(key)) continue;
    const auto* kept = cache_.find(key);
    known.emplace(key, kept ? *kept : Vector());
    if (!kept) wanted.missing.emplace_back(key, text);
  }
  return wanted;
}

Async<Result<Embedder::Embedded>> Embedder::embed(std::string agent_id, std::vector<std::string> texts, Millis patience, std::stop_token stop) {
  const Tick until = world_.clock.tick() + std::min(patience, settings_.timeout);
  std::unordered_map<std::string, Vector> known;
  const auto wanted = look_up(texts, known);
  Embedded embedded;
  for (std::size_t from = 0; from < wanted.missing.size();) {
    std::vector<std::string> batch;
    std::size_t bytes = 0, to = from;
    for (; to < wanted.missing.size() && batch.size() < kMostTexts; ++to) {
      bytes += wanted.missing[to].second.size();
      if (!batch.empty() && bytes > kMostBytes) break;
      batch.push_back(wanted.missing[to].second);
    }
    auto asking = ask(agent_id, std::move(batch), until, stop);
    auto answer = co_await std::move(asking);
    if (!answer) co_return fail("model " + settings_.model + " of provider \"" + settings_.provider + "\" gave no vectors: " + answer.error().message);
    ++embedded.requests;
    if (answer->usage) {
      add(embedded.tokens, answer->usage->input_tokens);
      embedded.cost += cost_of(*answer->usage);
    }
    for (std::size_t i = 0; from < to; ++from, ++i) {
      const auto& key = wanted.missing[from].first;
      known[key] = answer->vectors[i];
      cache_.keep(key, std::move(answer->vectors[i]));
    }
  }
  embedded.vectors.reserve(wanted.keys.size());
  for (const auto& key : wanted.keys) embedded.vectors.push_back(known[key]);
  co_return embedded;
}

Async<std::expected<port::Embedded, port::ModelError>> Embedder::ask(std::string agent_id, std::vector<std::string> texts, Tick until, std::stop_token stop) {
  for (int next_try = 1;; ++next_try) {
    const Tick start = world_.clock.tick();
    if (start < closed_until_)
      co_return std::unexpected(port::ModelError{port::Status::retryable, port::Failure::server, "it is left alone for " + format_duration(std::chrono::ceil<std::chrono::seconds>(closed_until_ - start)) + " because " + why_closed_, {}});
    port::Embedding request{.model = settings_.model, .texts = texts, .timeout = std::max(std::chrono::ceil<Millis>(until - start), Millis(1))};
    auto embedding = provider_.embed(std::move(request), stop);
    auto answer = co_await std::move(embedding);
    const Tick end = world_.clock.tick();
    if (settings_.told) {
      EmbeddingCall call{.agent_id = agent_id, .provider = settings_.provider, .model = settings_.model, .error = answer ? std::string() : answer.error().message, .duration = std::chrono::floor<Millis>(end - start)};
      if (answer && answer->usage) {
        call.usage = answer->usage;
        call.cost = cost_of(*answer->usage);
      }
      settings_.told(call);
    }
    if (answer) {
      probe_after_ = Millis(0);
      co_return answer;
    }
    if (stop.stop_requested()) co_return answer;  // which says nothing of the endpoint
    const auto& error = answer.error();
    const bool again = error.status == port::Status::retryable || error.status == port::Status::unknown_outcome;
    const Millis delay = delay_before(next_try + 1, error.retry_after, world_.random.next());
    if (!again || is_of_the_account(error.failure) || next_try == kTries || end + delay >= until) {
      close_for(error);
      co_return answer;
    }
    const bool whole = co_await sleep(world_.timers, delay, stop);
    if (!whole) co_return answer;
  }
}

NanoDollars Embedder::cost_of(const port::Usage& usage) const { return settings_.prices ? budget::cost(*settings_.prices, usage) : 0; }

// What is wrong with one text does not keep the next one from being asked for.
void Embedder::close_for(const port::ModelError& error) {
  const bool account = is_of_the_account(error.failure);
  if (!account && error.status == port::Status::terminal) return;
  if (account) probe_after_ = probe_after_ > Millis(0) ? std::min(probe_after_ * 2, kLongestProbe) : kFirstProbe;
  closed_until_ = world_.clock.tick() + std::max(account ? probe_after_ : kAfterAFailure, error.retry_after.value_or(Millis(0)));
  why_closed_ = error.message;
}

}  // namespace agentd::memory
