#include "tests/sim/progress.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

namespace agentd::sim {
namespace {

constexpr std::chrono::seconds kKeepEvery{20};

}  // namespace

Progress::Progress(std::filesystem::path file, std::uint64_t first, std::uint64_t last, std::string build)
    : file_(std::move(file)), first_(first), last_(last), build_(std::move(build)), passed_(first - 1) {
  if (!file_.empty()) read();
}

std::string Progress::head() const {
  return "seeds " + std::to_string(first_) + ".." + std::to_string(last_) + " of build " + build_;
}

void Progress::read() {
  std::ifstream in(file_);
  std::string head_line, word;
  if (!std::getline(in, head_line)) return;
  if (head_line != head())
    refusal_ = file_.string() + " is of " + head_line + ", and this is " + head() + "; remove it to begin again";
  else if (!(in >> word >> passed_ >> word >> seconds_before_))
    refusal_ = file_.string() + " cannot be read; remove it to begin again";
}

void Progress::passed(std::uint64_t seed) {
  passed_ = seed;
  if (std::chrono::steady_clock::now() - kept_ >= kKeepEvery) keep();
}

double Progress::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Progress::keep() {
  kept_ = std::chrono::steady_clock::now();
  if (file_.empty()) return;
  auto beside = file_;
  beside += ".new";
  std::ofstream(beside) << head() << "\npassed " << passed_ << "\nseconds " << seconds() << '\n';
  std::filesystem::rename(beside, file_);
}

std::string build_of(std::initializer_list<std::filesystem::path> files) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    for (auto at = std::istreambuf_iterator<char>(in); at != std::istreambuf_iterator<char>(); ++at)
      hash = (hash ^ static_cast<unsigned char>(*at)) * 0x100000001b3;
  }
  std::ostringstream out;
  out << std::hex << hash;
  return out.str();
}

}  // namespace agentd::sim
