#include "settings.hpp"

#include <algorithm>

#include "signature.hpp"
#include "stores/http/address.hpp"

namespace agentd::webhook {

void check(const Settings& settings) {
  using namespace std::chrono_literals;
  if (!stores::is_http_url(settings.url)) throw sdk::Error("url: must begin with https:// or http://");
  if (!settings.secret.empty() && !key_of(settings.secret.reveal())) throw sdk::Error("secret: must be \"whsec_\" and 24 to 64 bytes in base64");
  if (settings.timeout.value < 100ms || settings.timeout.value > 8s) throw sdk::Error("timeout: \"100ms\" to \"8s\"");
  if (settings.parallel < 1 || settings.parallel > 64) throw sdk::Error("parallel: 1 to 64");
  const auto is_refusal = [](int64_t status) { return status >= 400 && status <= 499; };
  if (!std::ranges::all_of(settings.drop_statuses, is_refusal)) throw sdk::Error("drop_statuses: each from 400 to 499");
}

}  // namespace agentd::webhook
