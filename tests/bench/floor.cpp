// bench_floor WHAT [--option value]...: what the bare libraries need for the same work. One line of JSON.
//   run      both HTTP exchanges of a run and its five rows: --url --runs --in-flight --group --db --stream yes --rows no --ledger FILE
//   records  rows alone, durable: --records --group --db
//   slots    one transaction of as many new runs: --slots --db
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/floor_http.hpp"
#include "tests/bench/floor_rows.hpp"
#include "tests/bench/measure.hpp"

namespace {

using namespace agentd::bench;

RowSizes sizes(const Options& options) {
  const auto ledger = options.text("--ledger", "");
  return ledger.empty() ? kUsualRows : sizes_in(ledger);
}

void run(const Options& options) {
  const FloorTraffic traffic{options.text("--url", ""), options.number("--runs", 10000), options.number("--in-flight", 64), options.text("--stream", "no") == "yes"};
  const bool with_rows = options.text("--rows", "yes") == "yes";
  FloorRows rows(options.text("--db", "/tmp/bench_floor.db"), sizes(options), options.number("--group", 64));
  const Cost cost;
  const auto after = [&](int call) {
    if (!with_rows) return;
    if (call == 0) rows.write(0), rows.write(1), rows.write(2);
    else rows.write(3), rows.write(4);
  };
  const int failed = exchange_all(traffic, after);
  rows.commit();
  Line line("floor_run");
  line.add("runs", traffic.runs).add("in_flight", traffic.in_flight).add("stream", traffic.stream ? "yes" : "no").add("rows", with_rows ? "yes" : "no");
  line.add("cpu_us_per_run", cost.cpu_us() / traffic.runs).add("runs_per_s", traffic.runs / cost.wall_s()).add("peak_rss_mb", peak_rss_mb());
  line.add("failed", failed).print();
}

void records(const Options& options) {
  const int count = options.number("--records", 100000), group = options.number("--group", 64);
  FloorRows rows(options.text("--db", "/tmp/bench_floor.db"), sizes(options), group);
  const Cost cost;
  for (int i = 0; i < count; ++i) rows.write(i % 5);
  rows.commit();
  Line("floor_records").add("records", count).add("group", group).add("records_per_s", count / cost.wall_s()).add("cpu_us_per_record", cost.cpu_us() / count).print();
}

void slots(const Options& options) {
  const int count = options.number("--slots", 10000);
  FloorRows rows(options.text("--db", "/tmp/bench_floor.db"), sizes(options), count);
  const Cost cost;
  for (int i = 0; i < count; ++i) rows.write(0);
  rows.commit();
  Line("floor_slots").add("slots", count).add("wall_ms", cost.wall_s() * 1000).add("cpu_ms", cost.cpu_us() / 1000).print();
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  allow_many_files();
  if (what == "run") run(options);
  else if (what == "records") records(options);
  else if (what == "slots") slots(options);
  else return std::fputs("bench_floor run | records | slots [--option value]...\n", stderr), 2;
}
