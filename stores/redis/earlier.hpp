// Events that are in the stream, read in order beside those that come again.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "client.hpp"

namespace agentd::redis {

struct Told {
  std::string id, timestamp, run_id;
};
Told told(const Value& event);  // {entry id timestamp run_id}, as the scripts give it

class Earlier {
 public:
  // Begins at `first`, or where the stream does.
  Earlier(Client& client, const std::string& stream, std::string_view first);

  // Nothing where there is none of that id. Ids are asked for in rising order.
  std::optional<Told> event(std::string_view id);

 private:
  bool next();
  Client& client_;
  const std::string stream_;
  std::string from_ = "-";
  std::optional<Reply> page_;
  std::size_t at_ = 0;
  Told now_;
};

}  // namespace agentd::redis
