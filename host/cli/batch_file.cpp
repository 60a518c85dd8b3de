#include "host/cli/batch_file.hpp"

#include <openssl/evp.h>

#include <memory>
#include <set>

#include "host/batch_item.hpp"

namespace agentd::cli {
namespace {

constexpr std::size_t kMostProblems = 100;
constexpr std::size_t kLongestBatchLine = 1 << 20;

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const std::string& text) { EVP_DigestUpdate(context_.get(), text.data(), text.size()); }
  std::string short_hex() {
    unsigned char hash[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(context_.get(), hash, nullptr);
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (int i = 0; i < 6; ++i) hex += {kDigits[hash[i] >> 4], kDigits[hash[i] & 15]};
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

}  // namespace

CheckedBatch check_batch_file(const std::string& file, const std::string& agent) {
  CheckedBatch checked;
  Digest digest;
  digest.add(agent + '\n');
  std::set<std::string> keys;
  std::ifstream in(file, std::ios::binary);
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    digest.add(line + '\n');
    if (is_blank(line)) continue;
    ++checked.items;
    std::string problem;
    if (line.size() > kLongestBatchLine) {
      problem = "a line may have " + std::to_string(kLongestBatchLine) + " bytes";
    } else if (const auto item = host::read_batch_item(line); !item) {
      problem = item.error();
    } else if (!item->key.empty() && !keys.insert(item->key).second) {
      problem = "the key \"" + item->key + "\" has come before";
    }
    if (!problem.empty() && checked.problems.size() < kMostProblems)
      checked.problems.push_back(file + ':' + std::to_string(number) + ": " + problem);
  }
  if (checked.items == 0) checked.problems.push_back(file + ": there is no item in it");
  checked.name = digest.short_hex();
  return checked;
}

std::vector<BatchLine> BatchFile::next(std::size_t bytes, std::size_t lines) {
  std::vector<BatchLine> all;
  std::string line;
  for (std::size_t size = 0; size < bytes && all.size() < lines && std::getline(in_, line); size += line.size()) {
    ++number_;
    if (!is_blank(line)) all.push_back({number_, line});
  }
  return all;
}

}  // namespace agentd::cli
