#include "core/net/loop.hpp"

#include <cstdlib>

namespace agentd::net {

constexpr std::size_t kSpareTransfers = 256;
constexpr Millis kLaneCheck{60'000};

Loop::Loop(World world, Settings settings)
    : world_(std::move(world)),
      settings_(std::move(settings)),
      sockets_(world_.executor, [this](std::span<const SocketSet::Ready> ready) { on_ready(ready); }),
      around_{settings_, sockets_, world_.clock, [this](Transfer& transfer) { leave_gate(transfer); }, [this](Transfer& transfer) { with_body_.push_back(transfer.id()); }},
      timer_(world_.executor),
      self_(std::make_shared<Loop*>(this)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted, and safe from any thread since 7.84
}

Loop::~Loop() {
  *self_ = nullptr;
  for (auto& [id, transfer] : live_) {
    world_.timers.cancel(transfer->whole_timer);
    world_.timers.cancel(transfer->idle_timer);
    if (transfer->lane) transfer->lane->remove(*transfer);
  }
  world_.timers.cancel(lane_check_);
  live_.clear();
  spare_.clear();
  lanes_.clear();
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
  if (auto* transfer = find(id)) transfer->stop(transfer->aborted());
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
    if (auto* transfer = find(id); transfer && !transfer->paused() && transfer->holds_back() && !transfer->go_on()) aborted_.push_back(id);
  for (const Id id : std::exchange(aborted_, {}))
    if (const auto* transfer = find(id)) end_early(id, transfer->aborted());
  settle();
}

// What follows every entry into libcurl: bodies to hand over, timeouts that are due, and transfers that have ended.
void Loop::settle() {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {  // by number: an end may open another lane
    lanes_[i]->expire(begin);
    collect_ended(*lanes_[i]);
  }
  hand_over();
  driving_ = false;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& lane : lanes_)
    if (lane->due() && *lane->due() <= now) return want_turn();
}

void Loop::hand_over() {
  for (const Id id : std::exchange(with_body_, {}))
    if (auto* transfer = find(id); transfer && !transfer->hand_over()) abort(id);
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
  auto& lane = lane_with_room();
  transfer.looking_up = !transfer.lookup().empty();
  transfer.lane = &lane;
  if (lane.add(transfer)) return;
  transfer.lane = nullptr;
  leave_gate(transfer);
  end(transfer, fail(ErrorClass::retryable, "the transfer could not start"));
}

Lane& Loop::lane_with_room() {
  for (auto& lane : lanes_)
    if (lane->transfers() < Lane::kTransfers) return *lane;
  const auto number = static_cast<std::uint32_t>(lanes_.size());
  lanes_.push_back(std::make_unique<Lane>(sockets_, number, [this](Lane::Time when) { on_due(when); }));
  if (lanes_.size() > 1 && lane_check_ == 0) lane_check_ = world_.timers.after(kLaneCheck, [this] { close_idle_lanes(); });
  return *lanes_.back();
}

// A burst leaves lanes behind whose connections nobody would use again. From the back, so that a lane keeps its number.
void Loop::close_idle_lanes() {
  while (lanes_.size() > 1 && lanes_.back()->was_idle) lanes_.pop_back();
  for (auto& lane : lanes_) lane->was_idle = lane->transfers() == 0;
  lane_check_ = lanes_.size() > 1 ? world_.timers.after(kLaneCheck, [this] { close_idle_lanes(); }) : 0;
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
  if (transfer->lane) transfer->lane->remove(*transfer);
  end(*transfer, std::unexpected(std::move(why)));
}

// The transfer is out of its lane.
void Loop::end(Transfer& transfer, Result<void> result) {
  leave_gate(transfer);
  world_.timers.cancel(std::exchange(transfer.whole_timer, 0));
  world_.timers.cancel(std::exchange(transfer.idle_timer, 0));
  auto node = live_.extract(transfer.id());
  const auto handler = transfer.finish();
  if (spare_.size() < kSpareTransfers) spare_.push_back(std::move(node.mapped()));
  if (handler.end) handler.end(std::move(result));
}

void Loop::on_ready(std::span<const SocketSet::Ready> ready) {
  driving_ = true;
  for (const auto& socket : ready)
    if (socket.lane < lanes_.size()) lanes_[socket.lane]->ready(socket.fd, socket.readable, socket.writable);
  settle();
}

void Loop::collect_ended(Lane& lane) {
  CURLcode code = CURLE_OK;
  while (Transfer* transfer = lane.next_ended(code)) {
    if (auto result = transfer->hop_ended(code)) {
      end(*transfer, std::move(*result));
    } else {
      leave_gate(*transfer);
      transfer->lane = nullptr;
      enter_gate(*transfer);
    }
  }
}

// Called from inside libcurl.
void Loop::on_due(Lane::Time when) {
  if (when <= std::chrono::steady_clock::now()) {
    if (!driving_) want_turn();
  } else if (!armed_ || when < *armed_) {
    arm(when);
  }
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
  driving_ = true;
  settle();
  std::optional<Lane::Time> next;
  for (const auto& lane : lanes_)
    if (lane->due() && (!next || *lane->due() < *next)) next = lane->due();
  if (next && (!armed_ || *next < *armed_)) arm(*next);
}

}  // namespace agentd::net
