// Which runs are claimed, for the next start: it has to know whose worker died, also when the run had not written a record yet.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <unordered_map>
#include <vector>

namespace agentd::sqlite {

// Beside the ledger's file, in FILE.claims. Written and not synced, which costs a claim next to nothing: the marks outlive the
// process, and that is what dies of a run; a machine that loses power forgets them. The latest 16,384 are kept. One thread at a
// time.
class ClaimMarks {
 public:
  static constexpr std::int64_t kGivenUp = -1;

  explicit ClaimMarks(const std::filesystem::path& file);
  ~ClaimMarks();
  ClaimMarks(const ClaimMarks&) = delete;
  ClaimMarks& operator=(const ClaimMarks&) = delete;
  bool usable() const { return fd_ >= 0; }  // false: the file cannot be had, and nothing is marked

  // What the latest mark says of each run that a session claimed: its latest record by then, or that its claim was given up.
  std::unordered_map<std::int64_t, std::int64_t> of(std::int64_t session) const;

  // Whether any session ever claimed a run.
  bool any() const;

  void clear();  // they are another ledger's

  struct Claimed {
    std::int64_t run = 0, last = 0;
  };
  void begin(std::int64_t session);  // of the marks that follow
  void put(std::span<const Claimed> claims);

 private:
  struct Mark;
  void take_room();
  std::vector<Mark> read() const;
  int fd_ = -1;
  std::int64_t session_ = 0, count_ = 0;
};

}  // namespace agentd::sqlite
