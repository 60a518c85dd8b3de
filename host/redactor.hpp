// Takes secrets out of text: of the log's, and of everything that becomes a record, a prompt or a tool's argument.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/port/cleaner.hpp"
#include "host/secret_search.hpp"

namespace agentd::host {

// Any thread. A secret is found in the forms of secret_forms.hpp, and in JSON under whatever escapes. Not found is one that is
// split over two texts, one with characters put between its own (a line break in base64), and any other encoding. Every value is
// replaced, however short: INTERFACE promises it, and a host that refused "test" or "none" could not talk to the many endpoints
// on one's own machine that take any key. `check` says what a short one costs.
class Redactor final : public port::Cleaner {
 public:
  // From now on this value is shown as "[secret]".
  void add(std::string_view secret);

  void clean(std::string& text) const override;
  // Strings and numbers are cleaned; names of members only of secrets that are long enough to be no ordinary word.
  void clean_json(std::string& json) const override;
  std::string cleaned(std::string text) const { return clean(text), text; }

 private:
  // Shared with readers, who go on with the forms they began with.
  std::shared_ptr<const SecretSearch> search() const;

  mutable Mutex mutex_;
  std::vector<Form> forms_ AGENTD_GUARDED_BY(mutex_);
  std::shared_ptr<const SecretSearch> search_ AGENTD_GUARDED_BY(mutex_);  // null: nothing is secret
};

// What a manifest says to models and to people; it becomes a revision in the ledger.
void clean(const port::Cleaner& cleaner, manifest::AgentSpec& spec);

}  // namespace agentd::host
