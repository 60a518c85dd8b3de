// A file of items, a line each, as `agentd batch submit` reads it: once to check all of it, then piece by piece to send it.
#pragma once
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace agentd::cli {

struct BatchLine {
  std::int64_t number = 0;  // from 1
  std::string text;
};

struct CheckedBatch {
  std::string name;  // what the agent and the file's bytes come to
  std::size_t items = 0;
  std::vector<std::string> problems;  // "items.jsonl:3: ..."; the first hundred
};
CheckedBatch check_batch_file(const std::string& file, const std::string& agent);

class BatchFile {
 public:
  explicit BatchFile(const std::string& file) : in_(file, std::ios::binary) {}
  // The next lines that are not empty, so many bytes and lines at most, though always one; none: the file has ended.
  std::vector<BatchLine> next(std::size_t bytes, std::size_t lines);

 private:
  std::ifstream in_;
  std::int64_t number_ = 0;
};

}  // namespace agentd::cli
