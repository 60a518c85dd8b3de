// Three tools of our own: the toolset `local`.
#include <agentd/sdk/toolset.hpp>
#include <sys/utsname.h>

#include <thread>

using namespace agentd::sdk;

enum class Form { lines, csv, markdown };
AGENTD_CHOICES(Form, {"lines", Form::lines}, {"csv", Form::csv}, {"markdown", Form::markdown})

enum class Unit { m, ft };
AGENTD_CHOICES(Unit, {"m", Unit::m}, {"ft", Unit::ft})

namespace {

struct Row {
  Required<std::string> name, value;
  AGENTD_FIELDS(name, value)
};

struct SystemInfo {
  std::string host, system, release, machine;
  unsigned cores = 0;
  AGENTD_FIELDS(host, system, release, machine, cores)
};

SystemInfo system_info() {
  utsname names{};
  if (::uname(&names) != 0) throw Error("uname failed", Failure::retryable);
  return {names.nodename, names.sysname, names.release, names.machine, std::thread::hardware_concurrency()};
}

std::string formatted(const std::vector<Row>& rows, Form form, const std::string& heading) {
  std::string out = form == Form::markdown ? "| " + heading + " | |\n| --- | --- |\n" : "";
  for (const auto& row : rows) {
    if (form == Form::markdown) out += "| " + *row.name + " | " + *row.value + " |\n";
    if (form == Form::csv) out += *row.name + "," + *row.value + "\n";
    if (form == Form::lines) out += *row.name + ": " + *row.value + "\n";
  }
  return out;
}

struct Local final : Toolset {
  struct Config {
    std::string heading = "What";   // [toolsets.local] of agentd.toml
    AGENTD_FIELDS(heading)
  };

  explicit Local(const Config& config) {
    constexpr double kMetresPerFoot = 0.3048;
    add("calculate_area", "Area of a rectangle in square metres", {{"length", "one side", at_least(0)}, {"width", "the other", at_least(0)}, {"unit", "of both", Unit::m}}, Effect::pure,
        [](double length, double width, Unit unit) { return unit == Unit::ft ? length * width * kMetresPerFoot * kMetresPerFoot : length * width; });
    add("get_system_info", "What machine this is", Effect::pure, [] { return system_info(); });
    add("format_data", "Puts names and values into a form", {{"rows", "what to write"}, {"form", "how", Form::lines}}, Effect::pure,
        [heading = config.heading](const std::vector<Row>& rows, Form form) { return formatted(rows, form, heading); });
  }
};

}  // namespace

AGENTD_PLUGIN("local_tools", "1.0.0", provides<Local>("local", "An area, a machine, a table"), license{"MIT"})
