// sim --seeds 1..1250             runs them; the first that fails ends it with the line that replays it
//     --coverage FILE             where to write which faults struck what
//     --same                      every seed twice: it must come out the same
//     --most SECONDS              stops after that, between two seeds, and says how far it came
//     --progress FILE             keeps there how far it came, and goes on from there
//     --story                     a line for every record of a seed that failed
// sim --covered FILE...           adds such files up, prints the table; fails where a cell was hit fewer than 10 times
#include <stdlib.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <iostream>
#include <ranges>
#include <span>

#include "tests/sim/progress.hpp"
#include "tests/sim/simulation.hpp"

namespace agentd::sim {
namespace {

constexpr std::uint64_t kLeastHits = 10;
constexpr std::size_t kMostTold = 12;  // of what is wrong with a seed

struct Asked {
  std::uint64_t first = 1, last = 10;
  std::string coverage, progress;
  double most_seconds = 0;
  bool same = false, story = false;
  std::vector<std::string> covered;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Asked read(std::span<char*> words) {
  Asked asked;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto value = [&] { return i + 1 < words.size() ? std::string(words[++i]) : std::string(); };
    if (word == "--seeds") {
      const auto seeds = value();
      const auto dots = seeds.find("..");
      asked.first = number(seeds);
      asked.last = dots == seeds.npos ? asked.first : number(std::string_view(seeds).substr(dots + 2));
    } else if (word == "--coverage") {
      asked.coverage = value();
    } else if (word == "--most") {
      asked.most_seconds = static_cast<double>(number(value()));
    } else if (word == "--progress") {
      asked.progress = value();
    } else if (word == "--same") {
      asked.same = true;
    } else if (word == "--story") {
      asked.story = true;
    } else if (word != "--covered") {
      asked.covered.emplace_back(word);
    }
  }
  return asked;
}

int add_up(const std::vector<std::string>& files) {
  Coverage all;
  for (const auto& file : files) {
    std::ifstream in(file);
    if (!in) {
      std::cout << file << " is not there\n";
      return 1;
    }
    all.add_text(in);
  }
  all.print(std::cout);
  const auto missing = all.missing(kLeastHits);
  for (const auto& cell : missing) std::cout << "not enough: " << cell << '\n';
  return missing.empty() ? 0 : 1;
}

// What a ledger keeps beside its database is in real files.
class Folder {
 public:
  Folder()
      : inner_(std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                         : std::filesystem::temp_directory_path()) {
    std::ofstream(path() / "ledger.db").flush();  // its name alone: what is in it is on the disk of the simulation
  }
  const std::filesystem::path& path() const { return inner_.path(); }

 private:
  conformance::Folder inner_;
};

int tell(std::uint64_t seed, const Verdict& verdict, const char* program, bool story) {
  for (std::size_t i = 0; story && i < verdict.story.size(); ++i) std::cout << verdict.story[i] << '\n';
  std::cout << "seed " << seed << " failed after " << verdict.runs << " runs, " << verdict.faults << " faults, "
            << verdict.processes << " processes:\n";
  for (const auto& objection : verdict.objections | std::views::take(kMostTold)) std::cout << "  " << objection << '\n';
  if (verdict.objections.size() > kMostTold) std::cout << "  and " << verdict.objections.size() - kMostTold << " more\n";
  std::cout << "again: " << program << " --seeds " << seed << '\n';
  return 1;
}

int run(const Asked& asked, const char* program) {
  const auto build = asked.progress.empty() ? std::string() : build_of({"/proc/self/exe", AGENTD_SIM_SQLITE});
  Progress progress(asked.progress, asked.first, asked.last, build);
  if (const auto why = progress.refusal()) {
    std::cout << *why << '\n';
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  Folder folder;
  Disk disk;
  const host::Redactor redactor;
  const host::Log log({.level = "off"}, redactor);
  const Ground ground{disk, folder.path(), log};
  Coverage coverage;
  Verdict sum;
  const auto first = progress.next();
  std::uint64_t seed = first;
  for (; seed <= asked.last && (asked.most_seconds == 0 || elapsed() < asked.most_seconds); ++seed) {
    auto verdict = simulate(seed, ground, coverage);
    if (verdict.objections.empty() && asked.same) {
      Coverage again;
      if (simulate(seed, ground, again).digest != verdict.digest)
        verdict.objections.push_back("the same seed came out otherwise the second time");
    }
    if (!verdict.objections.empty()) {
      progress.keep();
      return tell(seed, verdict, program, asked.story);
    }
    progress.passed(seed);
    sum.runs += verdict.runs, sum.faults += verdict.faults, sum.processes += verdict.processes, sum.records += verdict.records,
        sum.lasted += verdict.lasted;
  }
  progress.keep();
  const auto seeds = std::max<std::uint64_t>(1, seed - first);
  std::cout << "seeds " << first << ".." << seed - 1 << " passed in " << elapsed() << " s; each "
            << 1000 * elapsed() / static_cast<double>(seeds) << " ms, " << sum.runs / seeds << " runs, " << sum.faults / seeds
            << " faults, " << sum.processes / seeds << " processes, " << sum.records / seeds << " records, "
            << std::chrono::duration_cast<std::chrono::minutes>(sum.lasted).count() / static_cast<std::int64_t>(seeds)
            << " minutes\n";
  if (!asked.progress.empty())
    std::cout << "seeds " << asked.first << ".." << seed - 1 << " have passed, in " << progress.seconds() << " s altogether\n";
  if (!asked.coverage.empty()) std::ofstream(asked.coverage) << coverage.to_text() << '\n';
  return 0;
}

}  // namespace
}  // namespace agentd::sim

int main(int count, char** words) {
  const auto asked = agentd::sim::read({words, static_cast<std::size_t>(count)});
  return asked.covered.empty() ? agentd::sim::run(asked, words[0]) : agentd::sim::add_up(asked.covered);
}
