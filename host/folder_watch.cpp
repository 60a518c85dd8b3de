#include "host/folder_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>

namespace agentd::host {
namespace {

constexpr std::uint32_t kWanted = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kLost = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr Millis kLookForMissing{1'000};
constexpr Millis kLookAtAll{
    30'000};  // a path may lead elsewhere without a word: a link on its way was changed, something was mounted over it

}  // namespace

FolderWatch::FolderWatch(World world, Tell tell, Warn warn, Millis poll, bool with_removals)
    : world_(world), tell_(std::move(tell)), warn_(std::move(warn)), poll_(poll), wanted_(with_removals ? kWanted | IN_DELETE | IN_MOVED_FROM : kWanted), descriptor_(world.executor) {}

FolderWatch::~FolderWatch() { stop(); }

void FolderWatch::open() {
  is_open_ = true;
  open_descriptor();  // or with the first folder that needs it
}

// False: errno says why.
bool FolderWatch::open_descriptor() {
  if (descriptor_.is_open()) return true;
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return false;
  descriptor_.assign(descriptor);
  spawn(world_.executor, listen());
  return true;
}

void FolderWatch::add(const std::string& folder) {
  follow(folder, folders_[folder]);
  look_later();
}

void FolderWatch::stop() {
  is_open_ = false;
  world_.timers.cancel(std::exchange(timer_, 0));
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

bool FolderWatch::is_there(const std::string& folder) const {
  const auto found = folders_.find(folder);
  return found != folders_.end() && found->second.is_there();
}

Async<void> FolderWatch::listen() {
  constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
  alignas(inotify_event) std::array<char, 64 << 10> bytes;
  while (descriptor_.is_open()) {
    const auto [error, size] = co_await descriptor_.async_read_some(boost::asio::buffer(bytes), use_tuple);
    if (error) co_return;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size && descriptor_.is_open();) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* name = bytes.data() + at + sizeof event;
      take(event.wd, event.mask, {name, ::strnlen(name, event.len)});
      at += sizeof event + event.len;
    }
  }
}

void FolderWatch::take(int watch, std::uint32_t mask, std::string_view name) {
  if (mask & IN_Q_OVERFLOW) {
    for (const auto& [folder, place] : folders_) tell_(folder, {});
    return;
  }
  for (auto& [folder, place] : folders_) {
    if (place.watch != watch) continue;
    if (mask & kLost) {
      let_go(place);
      look_later();
    } else if (!name.empty()) {
      tell_(folder, name);
    }
  }
  if (mask & IN_MOVE_SELF) ::inotify_rm_watch(descriptor_.native_handle(), watch);
}

// True when the path leads to another folder than before.
bool FolderWatch::follow(const std::string& folder, Place& place) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    let_go(place);
    place = {};
    return false;
  }
  if (place.watch >= 0 && place.device == status.st_dev && place.inode == status.st_ino) return false;
  let_go(place);
  const int watch = open_descriptor() ? ::inotify_add_watch(descriptor_.native_handle(), folder.c_str(), wanted_) : -1;
  if (watch >= 0) {
    place = {watch, status.st_dev, status.st_ino, {}};
    return true;
  }
  complain(folder, errno);
  if (!place.polled_at) place.polled_at = world_.clock.tick();
  return false;
}

void FolderWatch::complain(const std::string& folder, int error) {
  if (error == ENOENT || !told_errors_.insert(error).second) return;
  std::string why = "inotify cannot watch " + folder + " (" + std::strerror(error) + "), so it is looked at every " +
                    std::to_string(poll_ / Millis(1'000)) + " s";
  if (error == ENOSPC) why += "; raise the sysctl fs.inotify.max_user_watches";
  if (error == EMFILE) why += "; raise the sysctl fs.inotify.max_user_instances";
  warn_(why);
}

bool FolderWatch::is_time_to_poll(Place& place) {
  const auto now = world_.clock.tick();
  if (!place.polled_at || now < *place.polled_at + poll_) return false;
  place.polled_at = now;
  return true;
}

void FolderWatch::let_go(Place& place) {
  const int watch = std::exchange(place.watch, -1);
  const auto uses = [watch](const auto& each) { return each.second.watch == watch; };
  if (watch >= 0 && std::ranges::none_of(folders_, uses)) ::inotify_rm_watch(descriptor_.native_handle(), watch);
}

void FolderWatch::look() {
  timer_ = 0;
  if (!is_open_) return;
  for (auto& [folder, place] : folders_)
    if (follow(folder, place) || is_time_to_poll(place)) tell_(folder, {});
  look_later();
}

void FolderWatch::look_later() {
  const auto is_missing = [](const auto& each) { return each.second.watch < 0; };
  world_.timers.cancel(std::exchange(timer_, 0));
  if (folders_.empty() || !is_open_) return;
  timer_ = world_.timers.after(std::ranges::any_of(folders_, is_missing) ? kLookForMissing : kLookAtAll, [this] { look(); });
}

}  // namespace agentd::host
