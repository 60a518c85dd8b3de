// How the ledger tells the host what became of its operations. A value; any thread.
#pragma once
#include <agentd/abi/ledger.h>
#include <agentd/sdk/host.hpp>

namespace agentd::sdk {
AGENTD_SDK_SERVICE(agentd_host_ledger_v1, AGENTD_HOST_LEDGER_1)
}

namespace agentd::ledger {

class LedgerHost {
 public:
  explicit LedgerHost(const sdk::Host& host) : host_(host), table_(&host.need<agentd_host_ledger_v1>()) {}
  void committed(const agentd_ledger_group& group) const { table_->committed(host_.raw(), &group); }
  void claimed(agentd_op op, const agentd_ledger_claims& claims) const { table_->claimed(host_.raw(), op, &claims); }
  void records(agentd_op op, const agentd_ledger_stored* records, std::size_t count) const { table_->records(host_.raw(), op, records, count); }
  void rows(agentd_op op, const agentd_ledger_row* rows, std::size_t count) const { table_->rows(host_.raw(), op, rows, count); }
  void numbers(agentd_op op, const std::int64_t* numbers, std::size_t count) const { table_->numbers(host_.raw(), op, numbers, count); }
  void sessions(agentd_op op, const agentd_ledger_session* sessions, std::size_t count) const { table_->sessions(host_.raw(), op, sessions, count); }
  void done(agentd_op op, std::int64_t number = 0, std::string_view text = {}) const {
    table_->ended(host_.raw(), op, AGENTD_LEDGER_FINE, number, sdk::str(text));
  }
  void failed(agentd_op op, std::int32_t fault, std::string_view message) const { table_->ended(host_.raw(), op, fault, 0, sdk::str(message)); }
  void due() const { table_->due(host_.raw()); }
  const sdk::Host& host() const { return host_; }

 private:
  sdk::Host host_;
  const agentd_host_ledger_v1* table_;
};

}  // namespace agentd::ledger
