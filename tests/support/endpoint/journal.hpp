// A line of JSON per request as it arrives and as it is answered, each written before anything else happens, for tests that kill their client.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace agentd::endpoint {

class Journal {
 public:
  Journal() = default;
  explicit Journal(const std::string& path, bool bodies);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void asked(int number, std::string_view call_id, std::uint64_t fingerprint, int messages, std::string_view body);
  void embedded(int number, std::string_view body);  // texts that are to be vectors, as they arrive
  void answered(int number, std::string_view call_id, int status);

 private:
  void write(std::string line);
  int fd_ = -1;
  bool bodies_ = false;
};

}  // namespace agentd::endpoint
