#include "core/plugin/catalog.hpp"

#include <algorithm>
#include <system_error>

#include "core/plugin/load.hpp"

namespace agentd::plugin {
namespace {

// Nothing when the folder cannot be read: it need not exist.
std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<std::filesystem::path> Catalog::scan() {
  std::vector<std::filesystem::path> changed;
  for (const auto& folder : options_.folders) {
    if (folder.empty()) continue;
    for (const auto& file : plugin_files(std::filesystem::absolute(folder))) {
      std::error_code error;
      const auto real = std::filesystem::canonical(file, error);  // one file that two folders lead to is one plugin
      const Seen now{file, stamp_of(file)};
      const auto [known, is_new] = seen_.try_emplace(real.empty() ? file : real, now);
      if (is_new) take(file);
      else if (known->second.stamp != now.stamp && take_again(known->second.file)) known->second.stamp = now.stamp;
      else if (known->second.stamp != now.stamp) changed.push_back(file);
    }
  }
  return changed;
}

Catalog::Stamp Catalog::stamp_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file, error);
  return {time, std::filesystem::file_size(file, error)};
}

std::vector<Catalog::Outdated> Catalog::outdated() const {
  std::vector<Outdated> all;
  for (const auto& [real, seen] : seen_) {
    std::error_code error;
    const bool is_gone = !std::filesystem::exists(seen.file, error);
    const bool is_used = std::ranges::any_of(libraries_, [&](const auto& library) { return library->file == seen.file; });
    if (is_used && (is_gone || stamp_of(seen.file) != seen.stamp)) all.push_back({seen.file, is_gone});
  }
  return all;
}

// False: it was loaded.
bool Catalog::take_again(const std::filesystem::path& file) {
  const auto broken = std::ranges::find(broken_, file, &Broken::file);
  if (broken == broken_.end()) return false;
  broken_.erase(broken);
  take(file);
  return true;
}

void Catalog::take(const std::filesystem::path& file) {
  auto library = load_file(file);
  if (!library) {
    broken_.push_back({file, file.stem(), library.error().message});
    return;
  }
  if (auto free = check_names(**library); !free) {
    broken_.push_back({file, (*library)->name, file.string() + ": " + free.error().message});
    return;
  }
  libraries_.push_back(std::move(*library));
}

Result<std::unique_ptr<Library>> Catalog::load_file(const std::filesystem::path& file) const {
  const auto pinned = options_.sha256.find(file.stem().string());
  const auto digest = pinned == options_.sha256.end() ? std::string() : pinned->second;
  auto library = options_.load ? options_.load(file, digest) : load(file, digest);
  if (library && (*library)->name != file.stem() && options_.sha256.contains((*library)->name))
    return fail(file.string() + ": it is plugin \"" + (*library)->name + "\", whose sha256 is configured; its file must be named " + (*library)->name + ".so");
  return library;
}

Result<void> Catalog::check_names(const Library& library) const {
  for (const auto& other : libraries_) {
    if (other->name == library.name) return fail("plugin \"" + library.name + "\" " + other->version + " is loaded from " + other->file.string() + " already");
    for (const auto& c : library.components)
      if (c->kind != Kind::unsupported && other->component(c->kind, c->name))
        return fail("its " + std::string(name(c->kind)) + " \"" + c->name + "\" is provided by plugin \"" + other->name + "\" already");
  }
  return {};
}

Result<Catalog::Found> Catalog::find(Kind kind, std::string_view wanted) const {
  std::string known;
  for (const auto& library : libraries_) {
    if (Component* const c = library->component(kind, wanted)) {
      if (auto why = library->disabled()) return fail(*why);
      return Found{library.get(), c};
    }
    for (const auto& c : library->components)
      if (c->kind == kind) known += (known.empty() ? "" : ", ") + c->name;
  }
  for (const auto& broken : broken_)
    if (broken.name == wanted) return fail("plugin \"" + broken.name + "\" is disabled: " + broken.reason);
  return fail("no plugin provides the " + std::string(name(kind)) + " \"" + std::string(wanted) + "\"" + (known.empty() ? std::string() : "; there is " + known));
}

}  // namespace agentd::plugin
