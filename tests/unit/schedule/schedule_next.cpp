// Answers what the oracle asks: schedule_next --cron EXPR --timezone TZ --from T --count N --json
#include <cstdio>
#include <map>
#include <string>

#include "core/schedule/schedule.hpp"

using namespace agentd;

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{{"--timezone", "UTC"}, {"--count", "5"}};
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) != "--json" && i + 1 < argc) options[argv[i]] = argv[i + 1], ++i;
  const auto fields = schedule::parse_cron(options["--cron"]);
  const auto zone = schedule::find_zone(options["--timezone"]);
  const auto from = parse_instant(options["--from"]);
  for (const auto* error : {fields ? nullptr : &fields.error(), zone ? nullptr : &zone.error(), from ? nullptr : &from.error()})
    if (error) return std::fprintf(stderr, "%s\n", error->message.c_str()), 2;
  const schedule::Schedule cron{.when = schedule::Cron{*fields, *zone}, .start = {}, .end = {}, .jitter = {}};
  const auto slots = schedule::slots_between(cron, *from, Instant::max(), std::stoul(options["--count"]));
  std::string out;
  for (const auto slot : slots)
    out += (out.empty() ? "{\"scheduled_at\": \"" : ", {\"scheduled_at\": \"") + format_instant_s(slot) + "\"}";
  std::printf("[%s]\n", out.c_str());
}
