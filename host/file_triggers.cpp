#include "host/file_triggers.hpp"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/run/clean.hpp"
#include "host/entries.hpp"

namespace agentd::host {
namespace {

using nlohmann::json;

constexpr Millis kTryLedgerAgain{1'000};
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
      watch_(world, [this](const std::string& folder, std::string_view name) { take(folder, name); }) {}

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
  if (const auto opened = watch_.open(); !opened) {
    log_.error("files", opened.error().message);
    co_return;
  }
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
      if (version.is_array() && version.size() == 2 && version[0].is_number_integer() && version[1].is_number_integer())
        watched.seen[name_in_state(name)] = {version[0].get<std::int64_t>(), version[1].get<std::int64_t>()};
  watch_.add(watched.on.path);
  if (!watch_.is_watched(watched.on.path))
    log_.warn("files", watched.agent_id + ": there is no folder " + watched.on.path + " now; it is watched for");
  arm(watched);
}

void FileTriggers::take(const std::string& folder, std::string_view name) {
  for (auto& watched : watched_) {
    if (watched->on.path != folder || watched->is_gone) continue;
    if (name.empty()) {
      watched->look_at_all = true;
    } else {
      std::string file(name);
      if (!matches(watched->on.glob, file)) continue;
      watched->told.insert(std::move(file));
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
  world_.timers.cancel(watched.timer);
  watched.timer = world_.timers.after(std::clamp(last, Millis(0), watched.on.debounce), [this, &watched] {
    watched.timer = 0;
    if (!watched.at_work) spawn(world_.executor, look(watched));
  });
}

Async<void> FileTriggers::look(Watched& watched) {
  watched.since.reset();
  const auto member = members_.find(watched.agent_id);
  if (!member || !member->starts_by_itself()) co_return;  // they wait where they are
  watched.at_work = true;
  const auto new_files = arrived(watched);
  const bool kept = new_files.empty() || co_await bring_in(*member, watched, new_files);
  watched.at_work = false;
  if (kept && (watched.look_at_all || !watched.told.empty())) arm(watched);  // it came meanwhile, or is looked at once more
  if (watched.is_gone) clear_away();
}

std::vector<std::string> FileTriggers::names_in(Watched& watched) {
  std::vector<std::string> names;
  const Folder folder(watched.on.path);
  while (const auto* entry = folder.stream ? ::readdir(folder.stream) : nullptr) {
    std::string name = entry->d_name;
    if (!matches(watched.on.glob, name)) continue;
    if (names.size() < kMostFiles) {
      names.push_back(std::move(name));
    } else if (!std::exchange(watched.is_full, true)) {
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
    const Version version{status.st_size, status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
    const auto seen = watched.seen.find(name);
    if (seen != watched.seen.end() && seen->second == version) continue;
    const auto before = unsure.find(name);
    const bool is_whole = told.contains(name) || (before != unsure.end() && before->second == version);
    (is_whole ? found : watched.unsure).emplace(name, version);
  }
  watched.look_at_all = watched.look_at_all || !watched.unsure.empty();
  return found;
}

port::Entry FileTriggers::entry_of(const Member& member, const Watched& watched, const Files& some) const {
  std::string paths, versions;
  for (const auto& [name, version] : some) {
    const auto path = watched.on.path + "/" + name;
    paths += paths.empty() ? '[' : ',';
    append_json_string(paths, path);
    versions += path + '\n' + std::to_string(version.mtime_ns) + ' ' + std::to_string(version.size) + '\n';
  }
  const auto trigger = event::ObjectWriter().raw("paths", paths + ']').finish();
  event::Entered entered{.trigger = "file",
                         .trigger_name = watched.name,
                         .params = {event::ObjectWriter().raw("trigger", trigger).finish()},
                         .key = "file:" + watched.name + "/" + manifest::content_hash(versions)};
  run::clean(cleaner_, entered);
  return entry_for(world_, member, entered);
}

// The runs and what is seen now, as one unit; tried until it is in, or the host stops. False: it stops.
Async<bool> FileTriggers::bring_in(const Member& member, Watched& watched, const Files& arrived) {
  auto seen = watched.seen;
  for (const auto& [name, version] : arrived) seen[name] = version;
  std::erase_if(seen, [&](const auto& file) { return ::access((watched.on.path + "/" + file.first).c_str(), F_OK) != 0; });
  json state = json::object();
  for (const auto& [name, version] : seen) state[key_in_state(name)] = {version.size, version.mtime_ns};
  port::Transition transition{.agent_id = watched.agent_id + "/" + watched.name, .records = {}, .agent_state = state.dump()};
  Files some;
  for (auto file = arrived.begin(); file != arrived.end();) {
    some.insert(*file);
    if (++file == arrived.end() || some.size() == kMostPaths)
      transition.follow_ups.push_back(entry_of(member, watched, std::exchange(some, {})));
  }
  while (!stopping_.stop_requested()) {
    const auto kept = co_await ledger_.commit(transition);
    if (kept) {
      watched.seen = std::move(seen);
      co_return true;
    }
    log_.error("files", watched.agent_id + ": files for trigger \"" + watched.name +
                            "\" could not be kept, trying again: " + kept.error().message);
    co_await sleep(world_.timers, kTryLedgerAgain, stopping_.get_token());
  }
  co_return false;
}

}  // namespace agentd::host
