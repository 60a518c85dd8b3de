// One descriptor that is kept back: a host that has no other left can still tell its clients so.
#pragma once
#include <string_view>

namespace agentd::api {

// The engine thread only.
class Reserve {
 public:
  Reserve();
  ~Reserve();
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  // Gives the descriptor up for a moment, and those who wait to be accepted, at most some, the answer and a closed connection.
  // The listener does not block.
  void turn_away(int listener, std::string_view answer);

 private:
  int descriptor_;
};

}  // namespace agentd::api
