// What keeps secrets out of text.
#pragma once
#include <string>

namespace agentd::port {

// Any thread. Cheap where there is nothing to find. Cleaning twice changes nothing more.
class Cleaner {
 public:
  virtual ~Cleaner() = default;
  virtual void clean(std::string& text) const = 0;
  // One JSON document, which it stays; what is none is cleaned as text.
  virtual void clean_json(std::string& json) const = 0;
};

}  // namespace agentd::port
