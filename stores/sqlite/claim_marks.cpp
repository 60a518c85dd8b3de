#include "claim_marks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "stores/ledger/checksum.hpp"

namespace agentd::sqlite {
namespace {

constexpr std::int64_t kPlaces = 16'384;

}  // namespace

// A place that was never written is all zeros, which is no mark.
struct ClaimMarks::Mark {
  std::int64_t session = 0, number = 0, run = 0, last = 0, checksum = 0;
  std::int64_t its_checksum() const { return ledger::Checksum().add(session).add(number).add(run).add(last).value(); }
};

ClaimMarks::ClaimMarks(const std::filesystem::path& file)
    : fd_(::open((file.string() + ".claims").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  take_room();
}

// So that a full disk takes no mark away.
void ClaimMarks::take_room() {
  if (fd_ >= 0) (void)::posix_fallocate(fd_, 0, kPlaces * static_cast<std::int64_t>(sizeof(Mark)));
}

ClaimMarks::~ClaimMarks() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<ClaimMarks::Mark> ClaimMarks::read() const {
  std::vector<Mark> marks(kPlaces);
  const auto got = fd_ < 0 ? 0 : ::pread(fd_, marks.data(), marks.size() * sizeof(Mark), 0);
  marks.resize(got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof(Mark));
  std::erase_if(marks, [](const Mark& mark) { return mark.number == 0 || mark.checksum != mark.its_checksum(); });
  return marks;
}

bool ClaimMarks::any() const { return !read().empty(); }

std::unordered_map<std::int64_t, std::int64_t> ClaimMarks::of(std::int64_t session) const {
  auto marks = read();
  std::erase_if(marks, [session](const Mark& mark) { return mark.session != session; });
  std::ranges::sort(marks, {}, &Mark::number);
  std::unordered_map<std::int64_t, std::int64_t> latest;
  for (const auto& mark : marks) latest[mark.run] = mark.last;
  return latest;
}

void ClaimMarks::clear() {
  if (fd_ >= 0 && ::ftruncate(fd_, 0) == 0) take_room();
}

void ClaimMarks::begin(std::int64_t session) {
  session_ = session;
  count_ = 0;
}

void ClaimMarks::put(std::span<const Claimed> claims) {
  if (fd_ < 0) return;
  while (!claims.empty()) {
    const auto place = count_ % kPlaces;
    const auto count = std::min(claims.size(), static_cast<std::size_t>(kPlaces - place));
    std::vector<Mark> marks;
    marks.reserve(count);
    for (const auto& claim : claims.first(count)) {
      auto& mark = marks.emplace_back(Mark{session_, ++count_, claim.run, claim.last, 0});
      mark.checksum = mark.its_checksum();
    }
    // One that could not be written is one death that will not be counted: nothing here is worth refusing a claim for.
    if (::pwrite(fd_, marks.data(), marks.size() * sizeof(Mark), place * static_cast<std::int64_t>(sizeof(Mark))) < 0) return;
    claims = claims.subspan(count);
  }
}

}  // namespace agentd::sqlite
