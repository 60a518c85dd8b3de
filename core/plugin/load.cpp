#include "core/plugin/load.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <span>
#include <system_error>

#include "core/plugin/elf.hpp"
#include "core/plugin/trust.hpp"

namespace agentd::plugin {
namespace {

// A file's bytes, read as they are needed. Nobody else may write to the file, so it does not shrink meanwhile.
class Bytes {
 public:
  static Result<Bytes> of(const std::filesystem::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail(std::generic_category().message(errno));
    struct stat is {};
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || is.st_size == 0) {
      close(fd);
      return fail("it is not a shared library");
    }
    const auto size = static_cast<std::size_t>(is.st_size);
    void* const data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    close(fd);
    if (data == MAP_FAILED) return fail(std::generic_category().message(error));
    return Bytes(data, size);
  }
  Bytes(Bytes&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  Bytes& operator=(Bytes&&) = delete;
  ~Bytes() {
    if (data_) munmap(data_, size_);
  }
  std::span<const std::byte> span() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  Bytes(void* data, std::size_t size) : data_(data), size_(size) {}
  void* data_;
  std::size_t size_;
};

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

Result<void> check_exports(const ElfExports& exports) {
  if (std::ranges::find(exports.entries, AGENTD_ENTRY_NAME) == exports.entries.end()) {
    if (exports.entries.empty()) return fail("it is not a plugin: it exports no " AGENTD_ENTRY_NAME);
    return fail("it wants a newer ABI: it exports " + list(exports.entries) + ", this host knows " AGENTD_ENTRY_NAME);
  }
  if (!exports.unique.empty())
    return fail("it defines symbols that the loader shares between all plugins (STB_GNU_UNIQUE), so that it could run another plugin's code: " + list(exports.unique) +
                "; build it with agentd_add_plugin(), or with -fno-gnu-unique");
  return {};
}

// The loader's own sentence, without the frame that Boost puts around it.
std::string loader_text(std::string text) {
  constexpr std::string_view kBefore = "(dlerror system message: ";
  const auto begin = text.find(kBefore);
  if (begin == text.npos) return text;
  text.erase(0, begin + kBefore.size());
  return text.substr(0, text.rfind(')'));
}

// Looked up once: a link that is turned to another file after it was checked changes nothing.
Result<std::filesystem::path> real_path(const std::filesystem::path& file) {
  std::error_code error;
  auto real = std::filesystem::canonical(file, error);
  if (error) return fail(file.string() + ": " + error.message());
  return real;
}

// `file` is how people know it.
Result<void> check_real(const std::filesystem::path& real, const std::filesystem::path& file, const std::string& digest) {
  if (auto safe = check_writers(real); !safe) return safe;
  const auto in_file = [&file](Result<void> why) { return fail(file.string() + ": " + why.error().message); };
  const auto bytes = Bytes::of(real);
  if (!bytes) return in_file(std::unexpected(bytes.error()));
  if (!digest.empty()) {
    if (const auto found = sha256(bytes->span()); found != digest) return in_file(fail("its sha256 is " + found + ", the configuration wants " + digest));
  }
  const auto exports = read_elf(bytes->span());
  if (!exports) return in_file(std::unexpected(exports.error()));
  if (auto fine = check_exports(*exports); !fine) return in_file(fine);
  return {};
}

Result<std::unique_ptr<Library>> map_real(const std::filesystem::path& real, const std::filesystem::path& file) {
  using boost::dll::load_mode::type;
  // Never unloaded: threads and exit handlers of a plugin may outlive every reason to keep it.
  const auto mode = static_cast<type>(boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | RTLD_NODELETE);
  const auto because = [&file](const std::string& why) { return fail(file.string() + ": " + why); };
  try {
    boost::dll::shared_library mapped(real, mode);
    if (!mapped.has(AGENTD_ENTRY_NAME)) return because("it is not a plugin: it exports no " AGENTD_ENTRY_NAME);
    auto& entry = mapped.get<const agentd_plugin*()>(AGENTD_ENTRY_NAME);
    auto library = Library::describe(entry(), file);
    if (!library) return because(library.error().message);
    return library;
  } catch (const std::exception& e) {
    return because(loader_text(e.what()));
  } catch (...) {
    return because("its entry function threw");
  }
}

}  // namespace

Result<void> check_file(const std::filesystem::path& file, const std::string& digest) {
  const auto real = real_path(file);
  if (!real) return std::unexpected(real.error());
  return check_real(*real, file, digest);
}

Result<std::unique_ptr<Library>> map_file(const std::filesystem::path& file) {
  const auto real = real_path(file);
  if (!real) return std::unexpected(real.error());
  return map_real(*real, file);
}

Result<std::unique_ptr<Library>> load(const std::filesystem::path& file, const std::string& digest) {
  const auto real = real_path(file);
  if (!real) return std::unexpected(real.error());
  if (auto fine = check_real(*real, file, digest); !fine) return std::unexpected(fine.error());
  return map_real(*real, file);
}

}  // namespace agentd::plugin
