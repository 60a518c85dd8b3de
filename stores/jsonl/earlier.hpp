// Lines that were written before, read in order beside events that come again.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::jsonl {

class Earlier {
 public:
  // The newest file first; what is older than the one that `first` is in is not read.
  Earlier(const std::vector<std::filesystem::path>& files, std::string_view first);

  // The line of an id, or empty when there is none. Ids are asked for in rising order.
  std::string_view line(std::string_view id);

 private:
  bool next();
  std::vector<std::filesystem::path> left_;  // the next one last
  std::ifstream in_;
  std::string line_;
};

}  // namespace agentd::jsonl
