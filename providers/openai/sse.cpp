#include "sse.hpp"

namespace agentd::openai {

void SseParser::take_field(std::string_view line) {
  if (!begun_) {
    begun_ = true;
    if (line.substr(0, 3) == "\xef\xbb\xbf") line.remove_prefix(3);
  }
  if (line.substr(0, 4) != "data" || (line.size() > 4 && line[4] != ':')) return;
  line.remove_prefix(line.size() > 4 ? 5 : 4);
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
}

}  // namespace agentd::openai
