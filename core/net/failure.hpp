// libcurl's results as errors for people. Pure; the only other files that see libcurl are loop and transfer.
#pragma once
#include <curl/curl.h>

#include <string_view>

#include "core/base/result.hpp"

namespace agentd::net {

struct Mishap {
  CURLcode code = CURLE_OK;
  long os_error = 0;          // errno of the last socket call, 0 when there was none
  std::string_view detail;    // libcurl's own words
  std::string_view url;
  bool sent = false;          // the request may have reached the server
  bool repeatable = true;     // the method may be sent again
};

Error explain(const Mishap& mishap);

// What became of a request that ended early, by no fault of the server: retryable, or unknown_outcome.
ErrorClass unfinished(bool sent, bool repeatable);

}  // namespace agentd::net
