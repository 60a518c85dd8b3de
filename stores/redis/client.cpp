#include "client.hpp"

#include <algorithm>
#include <thread>

#include "durability.hpp"
#include "refusal.hpp"

namespace agentd::redis {
namespace {

constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{250}, kLongestRest{2'000};

}  // namespace

Client::Client(const Settings& settings, const sdk::Host& host)
    : host_(host),
      server_(server_of(settings)),
      name_("redis at " + server_.name()),
      connect_timeout_(settings.connect_timeout),
      timeout_(settings.timeout),
      tls_(server_.tls ? std::make_unique<const TlsContext>(settings) : nullptr) {
  try {
    give_back(connect(Clock::now() + connect_timeout_));
  } catch (const Lost& lost) {
    trouble_ = lost.what();
    host_.log(sdk::Level::warn, away(lost.what(), pause_).what() + std::string("; it is tried again with each operation"));
  } catch (const sdk::Error& error) {
    fail(error);
  }
}

Reply Client::ask(const Command& command, Again again) {
  const auto until = Clock::now() + timeout_;
  for (;;) {
    try {
      auto connection = take(until);
      auto reply = connection->ask(command, until);
      give_back(std::move(connection));
      if (!reply.is_error()) return reply;
      if (!is_not_ready(reply.text())) throw refusal(reply.text());
      wait(std::string(reply.text()), until);
    } catch (const Lost& lost) {
      if (lost.asked && again == Again::no)
        throw sdk::Error(name_ + ": " + lost.what() + ", and whether it did what it was asked is not known", sdk::Failure::unknown_outcome);
      wait(lost.what(), until);
    } catch (const sdk::Error& error) {
      fail(error);
    }
  }
}

// A connection that the server has closed meanwhile tells so without being asked anything.
std::unique_ptr<Connection> Client::take(Deadline until) {
  for (;;) {
    std::unique_ptr<Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) break;
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    if (connection->is_idle()) return connection;
  }
  check_patience();
  return connect(until);
}

void Client::check_patience() {
  const std::lock_guard lock(mutex_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try_ - Clock::now());
  if (given_up_ && left.count() > 0) throw away(*trouble_, left);
}

std::unique_ptr<Connection> Client::connect(Deadline until) {
  const auto patience = std::min(until, Clock::now() + connect_timeout_);
  auto connection = std::make_unique<Connection>(server_, tls_.get(), patience);
  tell(doubts_about(*connection, patience));
  came_back();
  return connection;
}

void Client::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

void Client::came_back() {
  const std::lock_guard lock(mutex_);
  if (trouble_) host_.log(name_ + " is there again");
  trouble_.reset();
  given_up_ = false;
  pause_ = {};
}

// Before the next attempt; throws when the operation has no time for another.
void Client::wait(const std::string& why, Deadline until) {
  std::chrono::milliseconds pause{};
  {
    const std::lock_guard lock(mutex_);
    pause = std::exchange(pause_, std::clamp(pause_ * 2, kFirstPause, given_up_ ? kLongestRest : kLongestPause));
    if (pause.count() > 0 && !trouble_) host_.log(sdk::Level::warn, away(why, pause).what());
    if (pause.count() > 0) trouble_ = why;
    next_try_ = Clock::now() + pause;
    if (given_up_ || next_try_ >= until) {
      trouble_ = why;
      given_up_ = true;
      throw away(why, pause);
    }
  }
  std::this_thread::sleep_for(pause);
}

void Client::tell(const std::string& doubts) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(told_, doubts) != doubts && !doubts.empty()) host_.log(sdk::Level::warn, name_ + " " + doubts);
}

sdk::Error Client::away(const std::string& why, std::chrono::milliseconds pause) const {
  return sdk::Error(clean(name_ + " cannot be used now: " + why), sdk::Failure::retryable, pause.count());
}

void Client::fail(const sdk::Error& error) const {
  const std::string text = error.what();
  throw sdk::Error(text.starts_with(name_) ? text : clean(name_ + ": " + text), error.failure, error.retry_after_ms);
}

// Nothing that a server says should have a password in it, and some day one does.
std::string Client::clean(std::string text) const {
  const auto& secret = server_.password;
  for (auto at = text.find(secret); !secret.empty() && at != std::string::npos; at = text.find(secret, at)) text.replace(at, secret.size(), "***");
  return text;
}

}  // namespace agentd::redis
