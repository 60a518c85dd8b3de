// A file and the host's own log.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> not_written(const std::string& path) { return fail(ErrorClass::retryable, path + ": " + std::strerror(errno)); }

// Whoever reads it could keep the host waiting for ever.
std::unexpected<Error> no_file(const std::string& path) { return fail(ErrorClass::terminal, path + ": it is no regular file"); }

// Opened anew for each message, so that it may be rotated by whoever likes.
class FileSink final : public Sink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}

  Async<Result<void>> send(Message message, std::stop_token) override {
    auto work = [this, line = message_json(message) + '\n'] { return append(line); };
    auto appending = background_.run(std::move(work));
    co_return co_await std::move(appending);
  }

 private:
  // A line that was written in part is cut off again: the next try writes it whole.
  Result<void> append(const std::string& line) const {
    const Descriptor file(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (file.get() < 0 && (errno == ENXIO || errno == EISDIR)) return no_file(path_);  // a pipe that nobody reads, a folder
    if (file.get() < 0) return not_written(path_);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return not_written(path_);
    if (!S_ISREG(status.st_mode)) return no_file(path_);
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    const auto written = ::write(file.get(), line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size()) && ::fdatasync(file.get()) == 0) return {};
    const bool is_whole = written == static_cast<ssize_t>(line.size());  // and what failed is that it be durable
    const int why = written < 0 || is_whole ? errno : ENOSPC;
    if (written > 0 && size >= 0 && ::ftruncate(file.get(), size) != 0) return not_written(path_);
    errno = why;
    return not_written(path_);
  }

  const std::string path_;
  Background background_;
};

class LogSink final : public Sink {
 public:
  LogSink(std::string name, const Log& log) : name_("sink." + std::move(name)), log_(log) {}

  Async<Result<void>> send(Message message, std::stop_token) override {
    constexpr std::size_t kMostBytes = 8 << 10;
    const bool is_calm = message.severity == Message::Severity::info || message.is_over;
    log_.write(is_calm ? Level::info : message.severity == Message::Severity::warning ? Level::warn : Level::error, name_, words_of(message, kMostBytes));
    co_return Result<void>();
  }

 private:
  const std::string name_;
  const Log& log_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_file_sink(const SinkSettings& settings, const SinkGround&) { return std::make_unique<FileSink>(settings.at("path").get<std::string>()); }

Result<std::unique_ptr<Sink>> make_log_sink(const std::string& name, const SinkGround& ground) { return std::make_unique<LogSink>(name, ground.log); }

}  // namespace agentd::host
