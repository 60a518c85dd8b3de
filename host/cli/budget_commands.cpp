#include <charconv>
#include <ostream>

#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kRaiseTimeout{60'000};  // many parked runs may have to be woken

struct Amount {
  double value = 0;
  const char* resource = "cost";
};

// "2.50", "$2.50", "20000 tokens".
std::optional<Amount> parse_amount(std::string_view text) {
  Amount amount;
  if (text.ends_with("tokens")) {
    amount.resource = "tokens";
    text.remove_suffix(6);
    while (text.ends_with(' ')) text.remove_suffix(1);
  } else if (text.starts_with('$')) {
    text.remove_prefix(1);
  }
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, amount.value);
  if (read.ec != std::errc() || read.ptr != end || !(amount.value > 0)) return std::nullopt;
  return amount;
}

std::string amount_text(const Json& budget, std::string_view member) {
  const auto amount = text(budget, member);
  return (text(budget, "resource") == "cost" && amount != "-" ? "$" : "") + amount;
}

}  // namespace

int perform(const BudgetsList& command, const Output& to) {
  const auto answer = get_list(command.connection, "/v1/budgets", "budgets");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"scope", Cut::never}, "window", "resource", "spent", "held", "limit", "raised"});
  for (const auto& budget : answer->value("budgets", Json::array()))
    table.row({text(budget, "scope"), text(budget, "window"), text(budget, "resource"), amount_text(budget, "spent"), amount_text(budget, "held"), amount_text(budget, "limit"), amount_text(budget, "raised")});
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const BudgetsRaise& command, const Output& to) {
  const auto amount = parse_amount(command.amount);
  if (!amount) return tell({kUsage, "AMOUNT: write dollars (2.50) or tokens (20000tokens)"}, to);
  const Json body = {{"scope", command.scope}, {"resource", amount->resource}, {"amount", amount->value}};
  const auto answer = post(command.connection, "/v1/budgets/raise", body, kRaiseTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  to.out << text(*answer, "scope") << " may use " << amount_text(*answer, "limit") << (text(*answer, "resource") == "tokens" ? " tokens" : "") << " on " << text(*answer, "window") << "; "
         << text(*answer, "woken_runs") << (text(*answer, "woken_runs") == "1" ? " parked run looks again\n" : " parked runs look again\n");
  return kDone;
}

}  // namespace agentd::cli
