// The commands that ask a running host, and those that tell of the command line itself. Each prints and answers an exit code.
#pragma once
#include <iosfwd>

#include "host/cli/command.hpp"
#include "host/cli/terminal.hpp"

namespace agentd::cli {

struct Output {
  std::ostream& out;
  std::ostream& err;
  Terminal terminal;
};

int perform(const Completion& command, const Output& to);
int perform(const Manual& command, const Output& to);
int perform(const Status& command, const Output& to);
int perform(const AgentsList& command, const Output& to);
int perform(const AgentsShow& command, const Output& to);
int perform(const AgentsMode& command, const Output& to);
int perform(const AgentsCreate& command, const Output& to);
int perform(const AgentsUpdate& command, const Output& to);
int perform(const AgentsDelete& command, const Output& to);
int perform(const AgentsApply& command, const Output& to);
int perform(const AgentsRun& command, const Output& to);
int perform(const RunsList& command, const Output& to);
int perform(const RunsShow& command, const Output& to);
int perform(const AlertsList& command, const Output& to);
int perform(const BudgetsList& command, const Output& to);
int perform(const BudgetsRaise& command, const Output& to);
int perform(const RunsCancel& command, const Output& to);
int perform(const RunsRetry& command, const Output& to);
int perform(const RunsReplay& command, const Output& to);
int perform(const RunsForget& command, const Output& to);
int perform(const ApprovalsList& command, const Output& to);
int perform(const ApprovalsShow& command, const Output& to);
int perform(const ApprovalsDecide& command, const Output& to);
int perform(const BatchSubmit& command, const Output& to);
int perform(const BatchList& command, const Output& to);
int perform(const BatchShow& command, const Output& to);
int perform(const QuarantineList& command, const Output& to);
int perform(const QuarantineReview& command, const Output& to);
int perform(const MemoryList& command, const Output& to);
int perform(const MemoryAdd& command, const Output& to);
int perform(const MemoryForget& command, const Output& to);
int perform(const Events& command, const Output& to);

}  // namespace agentd::cli
