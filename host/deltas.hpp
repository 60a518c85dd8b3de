// A model's words on their way to those who follow a run live. They are not journalled: what they come to is in the answer's own
// event.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/port/provider.hpp"
#include "core/run/run.hpp"

namespace agentd::host {

// The engine thread only. Outlives its readers and the runs.
class Deltas {
 public:
  static constexpr std::size_t kMostBytes = 256 << 10;  // that wait for one reader; what comes beyond is lost to it

  // What one reader has not taken yet of one part of an answer.
  struct Piece {
    run::Speaker speaker;
    port::Delta::Kind kind = port::Delta::Kind::text;
    std::size_t index = 0;
    std::string tool, text;
    Instant at{};
  };

  // Somebody who listens; empty: whoever speaks.
  struct Wish {
    std::string agent, run, session;
  };

  class Reader {
   public:
    Reader(Deltas& deltas, Wish wish);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Calls `wake` when there is something to take, at once if there is already; a later call takes the place of an earlier one.
    void when_heard(std::function<void()> wake);
    std::vector<Piece> take();

   private:
    friend class Deltas;
    bool wants(const run::Speaker& speaker) const;
    void hear(const run::Speaker& speaker, const port::Delta& delta);

    Deltas& deltas_;
    const Wish wish_;
    std::vector<Piece> waiting_;
    std::size_t bytes_ = 0;
    std::function<void()> wake_;
  };

  explicit Deltas(const Clock& clock) : clock_(clock) {}
  // Whom a model call speaks to; null when nobody wants it, so that nothing is streamed.
  run::Listener listener(run::Speaker speaker);

 private:
  const Clock& clock_;
  std::list<Reader*> readers_;
};

// As the event stream sends it: shaped like an event, but without an id, since it is kept nowhere.
constexpr std::string_view kModelDelta = "model_delta";
std::string to_json(const Deltas::Piece& piece);

}  // namespace agentd::host
