#include "host/file_triggers.hpp"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/run/clean.hpp"
#include "host/entries.hpp"

namespace agentd::host {
namespace {

using nlohmann::json;

constexpr Millis kTryLedgerAgain{1'000};
constexpr const char* kWithoutRoom = "/no-room";  // behind the key: the run that comes later is another
constexpr const char* kNoRoom = "the agent's queue was full; these files come again when there is room";
constexpr int kLongestWait = 10;  // times the debounce, where files never stop coming

// As a shell does: what begins with a dot is hidden, so editors' and downloads' own files do not count.
bool matches(const std::string& glob, const std::string& name) { return ::fnmatch(glob.c_str(), name.c_str(), FNM_PERIOD) == 0; }

// A file's name in the state, which is JSON: as it is, or "/" and its bytes in hex, which no name begins with.
std::string key_in_state(const std::string& name) {
  if (to_utf8(name) == name) return name;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key = "/";
  for (const unsigned char byte : name) key += {kDigits[byte / 16], kDigits[byte % 16]};
  return key;
}

std::string name_in_state(const std::string& key) {
  if (!key.starts_with('/')) return key;
  std::string name;
  for (std::size_t at = 1; at + 1 < key.size(); at += 2) {
    unsigned byte = 0;
    std::from_chars(key.data() + at, key.data() + at + 2, byte, 16);
    name += static_cast<char>(byte);
  }
  return name;
}

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

// Size, time of change and, in what later hosts kept, the inode.
bool is_version(const json& kept) {
  return kept.is_array() && (kept.size() == 2 || kept.size() == 3) && std::ranges::all_of(kept, &json::is_number_integer);
}

struct Folder {
  explicit Folder(const std::string& path) : stream(::opendir(path.c_str())) {}
  ~Folder() {
    if (stream) ::closedir(stream);
  }
  Folder(const Folder&) = delete;
  DIR* stream;
};

}  // namespace

FileTriggers::FileTriggers(World world, port::Ledger& ledger, const Members& members, const port::Cleaner& cleaner,
                           const Log& log)
    : world_(world),
      ledger_(ledger),
      members_(members),
      cleaner_(cleaner),
      log_(log),
      watch_(world, [this](const std::string& folder, std::string_view name) { take(folder, name); },
             [this](const std::string& why) { log_.warn("files", why); }, kPoll) {}

// What becomes of files that have come.
struct FileTriggers::Handover {
  Files seen;                        // from then on
  std::vector<port::Entry> entries;  // runs, and what says why there are none
  std::set<std::string> left;        // there is no room for them
};

FileTriggers::~FileTriggers() { stop(); }

void FileTriggers::stop() {
  stopping_.request_stop();
  watch_.stop();
  for (auto& watched : watched_) world_.timers.cancel(std::exchange(watched->timer, 0));
}

Async<void> FileTriggers::start() {
  std::vector<MemberRef> watching;
  for (const auto& [id, member] : members_.members())
    if (member->watches_files) watching.push_back(member);
  for (auto& member : watching) co_await take(std::move(member));
}

std::vector<std::pair<std::string, manifest::FileTrigger>> FileTriggers::wanted(const Member& member) {
  std::vector<std::pair<std::string, manifest::FileTrigger>> all;
  if (!member.watches_files || !member.enabled) return all;
  for (const auto& trigger : member.spec().triggers)
    if (const auto* on = std::get_if<manifest::FileTrigger>(&trigger.on)) all.emplace_back(trigger.name, *on);
  return all;
}

Async<void> FileTriggers::take(MemberRef member) {
  auto all = wanted(*member);
  for (auto& watched : watched_) {
    if (watched->agent_id != member->agent_id) continue;
    const auto same = std::ranges::find_if(all, [&](const auto& each) { return each.first == watched->name && each.second == watched->on; });
    if (same == all.end() || watched->is_gone) {
      watched->is_gone = true;
      continue;
    }
    all.erase(same);
    watched->look_at_all = true;
    arm(*watched);
  }
  clear_away();
  if (all.empty()) co_return;
  watch_.open();
  for (auto& [name, on] : all) {
    watched_.push_back(std::make_unique<Watched>(Watched{.agent_id = member->agent_id, .name = std::move(name), .on = std::move(on), .since = {}}));
    auto starting = start_one(*watched_.back());
    co_await std::move(starting);
  }
}

void FileTriggers::leave(const std::string& agent_id) {
  for (auto& watched : watched_) watched->is_gone = watched->is_gone || watched->agent_id == agent_id;
  clear_away();
}

void FileTriggers::clear_away() {
  std::erase_if(watched_, [this](const auto& watched) {
    if (!watched->is_gone || watched->at_work) return false;
    world_.timers.cancel(watched->timer);
    return true;
  });
}

// What it has seen is read first: before that, everything would be new.
Async<void> FileTriggers::start_one(Watched& watched) {
  port::LedgerResult<std::string> kept;
  while (true) {
    kept = co_await ledger_.agent_state(watched.agent_id + "/" + watched.name);
    if (kept || stopping_.stop_requested()) break;
    log_.error("files", watched.agent_id + ": what trigger \"" + watched.name +
                            "\" has seen cannot be read, trying again: " + kept.error().message);
    co_await sleep(world_.timers, kTryLedgerAgain, stopping_.get_token());
  }
  if (stopping_.stop_requested()) co_return;
  const auto state = json::parse(*kept, nullptr, false);
  if (state.is_object())
    for (const auto& [name, version] : state.items())
      if (is_version(version))
        watched.seen[name_in_state(name)] = {version[0].get<std::int64_t>(), version[1].get<std::int64_t>(),
                                             version.size() == 3 ? version[2].get<std::int64_t>() : 0, 0};
  watch_.add(watched.on.path);
  if (!watch_.is_there(watched.on.path))
    log_.warn("files", watched.agent_id + ": there is no folder " + watched.on.path + " now; it is watched for");
  arm(watched);
}

void FileTriggers::take(const std::string& folder, std::string_view name) {
  for (auto& watched : watched_) {
    if (watched->on.path != folder || watched->is_gone) continue;
    if (name.empty()) {
      watched->look_at_all = true;
      if (watched->timer) continue;  // or a debounce that is longer than a poll would never pass
    } else {
      std::string file(name);
      if (!matches(watched->on.glob, file)) continue;
      if (watched->told.size() < kMostFiles) watched->told.insert(std::move(file));
      else watched->look_at_all = true;
    }
    arm(*watched);
  }
}

// Later with every file that comes, but not for ever.
void FileTriggers::arm(Watched& watched) {
  if (stopping_.stop_requested() || watched.is_gone) return;
  const auto now = world_.clock.tick();
  if (!watched.since) watched.since = now;
  const auto last = std::chrono::ceil<Millis>(*watched.since + kLongestWait * watched.on.debounce - now);
  look_in(std::clamp(last, Millis(0), watched.on.debounce), watched);
}

void FileTriggers::look_in(Millis delay, Watched& watched) {
  if (stopping_.stop_requested() || watched.is_gone) return;
  world_.timers.cancel(watched.timer);
  watched.timer = world_.timers.after(delay, [this, &watched] {
    watched.timer = 0;
    if (!watched.at_work) spawn(world_.executor, look(watched));
  });
}

Async<void> FileTriggers::look(Watched& watched) {
  watched.since.reset();
  const auto member = members_.find(watched.agent_id);
  if (!member || !member->starts_by_itself()) co_return;  // they wait where they are
  watched.at_work = true;
  if (watched.is_full && world_.clock.tick() >= watched.looked_at_all + kLookForFewer) watched.look_at_all = true;
  bool has_room = true;
  if (watched.waits_for_room) {
    const auto line = co_await line_before(member);
    has_room = line && (line->room > 0 || line->is_alive);
  }
  bool kept = true;
  if (has_room) {
    const auto new_files = arrived(watched);
    watched.waits_for_room = watched.waits_for_room && !new_files.empty();
    kept = new_files.empty() || co_await bring_in(member, watched, new_files);
  }
  watched.at_work = false;
  if (watched.waits_for_room) look_in(kLookForRoom, watched);
  else if (kept && (watched.look_at_all || !watched.told.empty())) arm(watched);  // it came meanwhile, or is looked at once more
  else if (watched.is_full) look_in(kLookForFewer, watched);
  if (watched.is_gone) clear_away();
}

std::vector<std::string> FileTriggers::names_in(Watched& watched) {
  std::vector<std::string> names;
  const bool was_full = std::exchange(watched.is_full, false);
  watched.looked_at_all = world_.clock.tick();
  const Folder folder(watched.on.path);
  while (const auto* entry = folder.stream ? ::readdir(folder.stream) : nullptr) {
    std::string name = entry->d_name;
    if (!matches(watched.on.glob, name)) continue;
    if (names.size() < kMostFiles) {
      names.push_back(std::move(name));
    } else if (!std::exchange(watched.is_full, true) && !was_full) {
      log_.warn("files", watched.agent_id + ": " + watched.on.path + " has more than " + std::to_string(kMostFiles) +
                             " files for trigger \"" + watched.name + "\"; the others wait until there are fewer");
    }
  }
  return names;
}

// Regular files that are new or have changed. One that was only found must be the same at two looks, so that half of a file is
// none.
FileTriggers::Files FileTriggers::arrived(Watched& watched) {
  const bool all = std::exchange(watched.look_at_all, false);
  const auto told = std::exchange(watched.told, {});
  const auto unsure = std::exchange(watched.unsure, {});
  const auto names = all ? names_in(watched) : std::vector<std::string>(told.begin(), told.end());
  Files found;
  for (const auto& name : names) {
    struct stat status{};
    if (::lstat((watched.on.path + "/" + name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const Version version{status.st_size, nanoseconds(status.st_mtim), static_cast<std::int64_t>(status.st_ino), nanoseconds(status.st_ctim)};
    const bool is_told = told.contains(name);
    const auto seen = watched.seen.find(name);
    if (seen != watched.seen.end() && seen->second.is_like(version)) {
      const auto inode = std::exchange(seen->second.inode, version.inode);
      const bool is_another = is_told && inode != 0 && inode != version.inode;
      if (!is_another) continue;
    }
    const auto before = unsure.find(name);
    const bool is_whole = is_told || (before != unsure.end() && before->second.is_like(version));
    (is_whole ? found : watched.unsure).emplace(name, version);
  }
  watched.look_at_all = watched.look_at_all || !watched.unsure.empty();
  return found;
}

port::Entry FileTriggers::entry_of(const Member& member, const Watched& watched, const Files& some, Place place) const {
  std::string paths, versions;
  for (const auto& [name, version] : some) {
    const auto path = watched.on.path + "/" + name;
    paths += paths.empty() ? '[' : ',';
    append_json_string(paths, path);
    versions += path + '\n' + std::to_string(version.mtime_ns) + ' ' + std::to_string(version.size) + ' ' + std::to_string(version.ctime_ns) + '\n';
  }
  const auto trigger = event::ObjectWriter().raw("paths", paths + ']').finish();
  event::Entered entered{.trigger = "file",
                         .trigger_name = watched.name,
                         .params = {event::ObjectWriter().raw("trigger", trigger).finish()},
                         .key = "file:" + watched.name + "/" + manifest::content_hash(versions)};
  if (place == Place::behind) entered.key += kOneOfAll;
  if (place == Place::without_room) entered.key += kWithoutRoom, entered.reason = kNoRoom;
  run::clean(cleaner_, entered);
  auto entry = entry_for(world_, member, entered);
  entry.queue_size = std::numeric_limits<std::uint32_t>::max();  // it has been decided
  const bool waits = place == Place::behind || entry.overlap == port::Overlap::skip;
  if (waits && entry.overlap != port::Overlap::allow) entry.overlap = port::Overlap::queue;
  if (place == Place::skipped) entry.status = port::RunStatus::skipped;
  if (place == Place::without_room) entry.status = port::RunStatus::dropped;
  return entry;
}

// What comes before the agent's next run; tried until it is known. Nothing: the host stops.
Async<std::optional<Line>> FileTriggers::line_before(MemberRef member) {
  while (!stopping_.stop_requested()) {
    const auto line = co_await line_of(ledger_, member);
    if (line) co_return *line;
    log_.error("files", member->agent_id + ": whether there is room for files cannot be read, trying again: " + line.error().message);
    co_await sleep(world_.timers, kTryLedgerAgain, stopping_.get_token());
  }
  co_return std::nullopt;
}

// Files that came together do not push each other aside: they queue.
FileTriggers::Handover FileTriggers::hand_over(const Member& member, const Watched& watched, const Files& arrived, const Line& line) const {
  Handover all{.seen = watched.seen, .entries = {}, .left = {}};
  for (auto file = arrived.begin(); file != arrived.end();) {
    Files some;
    while (file != arrived.end() && some.size() < kMostPaths) some.insert(*file++);
    if (!line.is_alive && all.entries.size() >= line.room) {
      if (all.left.empty() && !watched.waits_for_room) all.entries.push_back(entry_of(member, watched, some, Place::without_room));
      for (const auto& [name, version] : some) all.left.insert(name);
      continue;
    }
    all.entries.push_back(entry_of(member, watched, some, line.is_alive ? Place::skipped : all.entries.empty() ? Place::first : Place::behind));
    for (const auto& [name, version] : some) all.seen[name] = version;
  }
  return all;
}

// The runs and what is seen now, as one unit; tried until it is in, or the host stops. False: it stops.
Async<bool> FileTriggers::bring_in(MemberRef member, Watched& watched, const Files& arrived) {
  const auto line = co_await line_before(member);
  if (!line) co_return false;
  auto all = hand_over(*member, watched, arrived, *line);
  std::erase_if(all.seen, [&](const auto& file) { return ::access((watched.on.path + "/" + file.first).c_str(), F_OK) != 0; });
  json state = json::object();
  for (const auto& [name, version] : all.seen) state[key_in_state(name)] = {version.size, version.mtime_ns, version.inode};
  port::Transition transition{.agent_id = watched.agent_id + "/" + watched.name, .records = {}, .agent_state = state.dump()};
  transition.follow_ups = std::move(all.entries);
  while (!stopping_.stop_requested()) {
    const auto kept = co_await ledger_.commit(transition);
    if (kept) {
      watched.seen = std::move(all.seen);
      watched.waits_for_room = !all.left.empty();
      watched.told.merge(all.left);
      co_return true;
    }
    log_.error("files", watched.agent_id + ": files for trigger \"" + watched.name +
                            "\" could not be kept, trying again: " + kept.error().message);
    co_await sleep(world_.timers, kTryLedgerAgain, stopping_.get_token());
  }
  co_return false;
}

}  // namespace agentd::host
