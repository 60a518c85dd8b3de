// Sinks that were taken out of agentd.toml. What they were still to be told is not passed over in silence: it is tried for as long as
// for a sink that does not answer, so that one put back is told, and each that never is told has its record.
#pragma once
#include <string>
#include <vector>

#include "core/port/ledger.hpp"
#include "host/sinks/sink.hpp"

namespace agentd::host {

// Those that a host of this ledger had and that are not among `now`; which are kept with them for the next host.
Async<port::LedgerResult<std::vector<std::string>>> gone_sinks(port::Ledger& ledger, std::vector<std::string> now);

// One of them.
class GoneSink final : public Sink {
 public:
  GoneSink(std::string name, const Log& log) : name_(std::move(name)), log_(log) {}
  Async<Result<void>> send(Message message, std::stop_token stop) override;

 private:
  const std::string name_;
  const Log& log_;
  bool said_ = false;
};

}  // namespace agentd::host
