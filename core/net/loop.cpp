#include "core/net/loop.hpp"

#include <cstdlib>

namespace agentd::net {

constexpr std::size_t kSpareTransfers = 256;

Loop::Loop(World world, Settings settings)
    : world_(std::move(world)),
      settings_(std::move(settings)),
      sockets_(world_.executor, [this](std::span<const SocketSet::Ready> ready) { on_ready(ready); }),
      around_{settings_, sockets_, world_.clock, [this](Transfer& transfer) { leave_gate(transfer); }},
      timer_(world_.executor),
      self_(std::make_shared<Loop*>(this)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted, and safe from any thread since 7.84
  multi_.reset(curl_multi_init());
  if (!multi_) std::abort();
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.max_idle_connections));
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, +[](CURL*, curl_socket_t fd, int what, void* self, void*) -> int {
    static_cast<Loop*>(self)->sockets_.watch(fd, what == CURL_POLL_IN || what == CURL_POLL_INOUT, what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
    return 0;
  });
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, +[](CURLM*, long ms, void* self) -> int {
    static_cast<Loop*>(self)->on_curl_timer(ms);
    return 0;
  });
}

Loop::~Loop() {
  *self_ = nullptr;
  for (auto& [id, transfer] : live_) {
    world_.timers.cancel(transfer->whole_timer);
    world_.timers.cancel(transfer->idle_timer);
    if (transfer->place == Transfer::Place::running) curl_multi_remove_handle(multi_.get(), transfer->easy());
  }
  live_.clear();
  spare_.clear();
  multi_.reset();
  curl_global_cleanup();
}

Loop::Id Loop::start(port::HttpRequest request, port::HttpHandler handler) {
  coming_.push_back({++last_, std::move(request), std::move(handler), false});
  want_turn();
  return last_;
}

void Loop::pause(Id id, bool paused) {
  for (auto& coming : coming_)
    if (coming.id == id) coming.paused = paused;
  auto* transfer = find(id);
  if (!transfer) return;
  transfer->pause(paused);
  if (paused || !transfer->holds_back()) return;
  going_on_.push_back(id);
  want_turn();
}

void Loop::abort(Id id) {
  if (auto* transfer = find(id)) transfer->stop({ErrorClass::terminal, "aborted", {}});
  aborted_.push_back(id);
  want_turn();
}

void Loop::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  boost::asio::post(world_.executor, [self = self_] {
    if (*self) (*self)->turn();
  });
}

void Loop::turn() {
  turn_wanted_ = false;
  driving_ = true;
  for (auto& coming : std::exchange(coming_, {})) begin(std::move(coming));
  for (const auto& [id, gate] : std::exchange(admitted_, {})) {
    if (auto* transfer = find(id)) run(*transfer);
    else admit_next(gate);
  }
  for (const Id id : std::exchange(going_on_, {}))
    if (auto* transfer = find(id); transfer && !transfer->paused() && transfer->holds_back()) transfer->go_on();
  for (const Id id : std::exchange(aborted_, {})) end_early(id, {ErrorClass::terminal, "aborted", {}});
  settle();
}

// What follows every entry into libcurl: a timeout of 0, and transfers that have ended.
void Loop::settle() {
  if (due_ && *due_ <= std::chrono::steady_clock::now()) act(CURL_SOCKET_TIMEOUT, 0);
  collect_ended();
  driving_ = false;
  if (due_ && *due_ <= std::chrono::steady_clock::now()) want_turn();
}

Transfer* Loop::find(Id id) {
  const auto found = live_.find(id);
  return found == live_.end() ? nullptr : found->second.get();
}

void Loop::begin(Coming coming) {
  std::unique_ptr<Transfer> transfer;
  if (spare_.empty()) {
    transfer = std::make_unique<Transfer>(around_);
  } else {
    transfer = std::move(spare_.back());
    spare_.pop_back();
  }
  auto& started = *transfer;
  started.pause(coming.paused);
  live_.emplace(coming.id, std::move(transfer));
  if (auto ready = started.prepare(coming.id, std::move(coming.request), std::move(coming.handler)); !ready) return end(started, std::move(ready));
  watch_time(started);
  enter_gate(started);
}

void Loop::enter_gate(Transfer& transfer) {
  if (transfer.lookup().empty()) return run(transfer);
  transfer.gate = transfer.lookup();
  if (gate_.enter(transfer.gate, transfer.id())) run(transfer);
}

void Loop::leave_gate(Transfer& transfer) {
  if (!std::exchange(transfer.looking_up, false)) return;
  admit_next(transfer.gate);
}

void Loop::admit_next(const std::string& gate) {
  for (const Id next : gate_.leave(gate)) {
    admitted_.push_back({next, gate});
    want_turn();
  }
}

void Loop::run(Transfer& transfer) {
  transfer.looking_up = !transfer.lookup().empty();
  transfer.place = Transfer::Place::running;
  if (const auto code = curl_multi_add_handle(multi_.get(), transfer.easy()); code != CURLM_OK) {
    transfer.place = Transfer::Place::waiting;
    end(transfer, fail(ErrorClass::retryable, std::string("the transfer could not start: ") + curl_multi_strerror(code)));
  }
}

void Loop::watch_time(Transfer& transfer) {
  const Id id = transfer.id();
  if (transfer.timeout() > Millis(0)) {
    transfer.whole_timer = world_.timers.after(transfer.timeout(), [this, id] {
      if (auto* late = find(id)) timed_out(id, "no whole answer within " + format_duration(late->timeout()));
    });
  }
  if (transfer.idle_timeout() > Millis(0)) transfer.idle_timer = world_.timers.after(transfer.idle_timeout(), [this, id] { idle_check(id); });
}

void Loop::idle_check(Id id) {
  auto* transfer = find(id);
  if (!transfer) return;
  const auto idle = transfer->idle_timeout();
  auto left = idle;  // a transfer that its owner holds back is not idle
  if (!transfer->paused()) left = std::chrono::ceil<Millis>(transfer->last_activity() + idle - world_.clock.tick());
  if (left <= Millis(0)) return timed_out(id, "nothing came for " + format_duration(idle));
  transfer->idle_timer = world_.timers.after(left, [this, id] { idle_check(id); });
}

void Loop::timed_out(Id id, std::string what) {
  auto* transfer = find(id);
  const auto place = origin(transfer->url());
  driving_ = true;
  end_early(id, {transfer->unfinished_class(), (place ? std::string(place->authority) : "the server") + ": " + std::move(what), {}});
  settle();
}

void Loop::end_early(Id id, Error why) {
  auto* transfer = find(id);
  if (!transfer) return;
  if (transfer->place == Transfer::Place::running) curl_multi_remove_handle(multi_.get(), transfer->easy());
  end(*transfer, std::unexpected(std::move(why)));
}

// The transfer is out of the multi handle.
void Loop::end(Transfer& transfer, Result<void> result) {
  if (transfer.place == Transfer::Place::running) leave_gate(transfer);
  world_.timers.cancel(std::exchange(transfer.whole_timer, 0));
  world_.timers.cancel(std::exchange(transfer.idle_timer, 0));
  auto node = live_.extract(transfer.id());
  const auto handler = transfer.finish();
  if (spare_.size() < kSpareTransfers) spare_.push_back(std::move(node.mapped()));
  if (handler.end) handler.end(std::move(result));
}

void Loop::on_ready(std::span<const SocketSet::Ready> ready) {
  driving_ = true;
  for (const auto& socket : ready) act(socket.fd, (socket.readable ? CURL_CSELECT_IN : 0) | (socket.writable ? CURL_CSELECT_OUT : 0));
  settle();
}

void Loop::act(curl_socket_t fd, int what) {
  if (fd == CURL_SOCKET_TIMEOUT) due_.reset();
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, what, &running);
}

void Loop::collect_ended() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_.get(), easy);
    auto result = transfer->hop_ended(code);
    if (result) {
      end(*transfer, std::move(*result));
    } else {
      leave_gate(*transfer);
      transfer->place = Transfer::Place::waiting;
      enter_gate(*transfer);
    }
  }
}

// Called from inside libcurl.
void Loop::on_curl_timer(long ms) {
  if (ms < 0) {
    due_.reset();
    return;
  }
  due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  if (ms == 0 && driving_) return;
  if (ms == 0) want_turn();
  else if (!armed_ || *due_ < *armed_) arm(*due_);
}

void Loop::arm(std::chrono::steady_clock::time_point when) {
  armed_ = when;
  timer_.expires_at(when);
  timer_.async_wait([self = self_](boost::system::error_code error) {
    if (!error && *self) (*self)->expire();
  });
}

void Loop::expire() {
  armed_.reset();
  if (!due_) return;
  if (*due_ > std::chrono::steady_clock::now()) return arm(*due_);
  driving_ = true;
  settle();
}

}  // namespace agentd::net
