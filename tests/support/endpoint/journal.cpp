#include "tests/support/endpoint/journal.hpp"

#include <agentd/sdk/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>

namespace agentd::endpoint {
namespace {

std::string begin(std::string_view event, int number, std::string_view call_id) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string line = "{\"event\":\"" + std::string(event) + "\",\"n\":" + std::to_string(number) + ",\"time_us\":" + std::to_string(now) + ",\"call_id\":";
  sdk::write_string(line, call_id);
  return line;
}

}  // namespace

Journal::Journal(const std::string& path, bool bodies) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)), bodies_(bodies) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::asked(int number, std::string_view call_id, std::uint64_t fingerprint, int messages, std::string_view body) {
  if (fd_ < 0) return;
  char hash[17] = "";
  *std::to_chars(hash, hash + 16, fingerprint, 16).ptr = 0;
  auto line = begin("asked", number, call_id) + ",\"conversation\":\"" + hash + "\",\"messages\":" + std::to_string(messages);
  if (bodies_) {
    line += ",\"body\":";
    sdk::write_string(line, body);
  }
  write(std::move(line));
}

void Journal::embedded(int number, std::string_view body) {
  if (fd_ < 0) return;
  auto line = begin("embedded", number, "");
  if (bodies_) {
    line += ",\"body\":";
    sdk::write_string(line, body);
  }
  write(std::move(line));
}

void Journal::answered(int number, std::string_view call_id, int status) {
  if (fd_ >= 0) write(begin("answered", number, call_id) + ",\"status\":" + std::to_string(status));
}

void Journal::write(std::string line) {
  line += "}\n";
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();  // a test would draw wrong conclusions
}

}  // namespace agentd::endpoint
