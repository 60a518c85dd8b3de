// Takes secrets out of text before it is written anywhere.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.hpp"

namespace agentd::host {

// Any thread.
class Redactor {
 public:
  // From now on this value, also JSON-escaped or in base64, is shown as "***". Values shorter than 6 characters are left: they would
  // take innocent text with them.
  void add(std::string_view secret);
  std::string clean(std::string text) const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> forms_ AGENTD_GUARDED_BY(mutex_);  // longest first
};

}  // namespace agentd::host
