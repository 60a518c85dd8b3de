// Answers what the oracle asks: schedule_next --cron EXPR --timezone TZ --from T --count N --json
// With --batch it reads questions, lines of the four separated by tabs, and answers each with a line.
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "core/schedule/schedule.hpp"

using namespace agentd;

namespace {

using Options = std::map<std::string, std::string>;

Result<std::string> answer(Options& options) {
  const auto fields = schedule::parse_cron(options["--cron"]);
  const auto zone = schedule::find_zone(options["--timezone"]);
  const auto from = parse_instant(options["--from"]);
  for (const auto* error : {fields ? nullptr : &fields.error(), zone ? nullptr : &zone.error(), from ? nullptr : &from.error()})
    if (error) return std::unexpected(*error);
  const schedule::Schedule cron{.when = schedule::Cron{*fields, *zone}, .start = {}, .end = {}, .jitter = {}};
  std::string out;
  for (const auto slot : schedule::slots_between(cron, *from, Instant::max(), std::stoul(options["--count"])))
    out += (out.empty() ? "{\"scheduled_at\": \"" : ", {\"scheduled_at\": \"") + format_instant_s(slot) + "\"}";
  return "[" + out + "]";
}

int answer_lines() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    Options options;
    for (const auto* name : {"--cron", "--timezone", "--from", "--count"}) std::getline(in, options[name], '\t');
    const auto text = answer(options);
    std::cout << (text ? *text : text.error().message) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options{{"--timezone", "UTC"}, {"--count", "5"}};
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == std::string("--batch")) return answer_lines();
    if (std::string(argv[i]) != "--json" && i + 1 < argc) options[argv[i]] = argv[i + 1], ++i;
  }
  const auto text = answer(options);
  if (!text) return std::fprintf(stderr, "%s\n", text.error().message.c_str()), 2;
  std::printf("%s\n", text->c_str());
}
