// fake_endpoint: a chat-completions endpoint that needs no model. Prints its port, serves until its standard input is closed.
#include <agentd/sdk/json.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/endpoint/server.hpp"

namespace {

constexpr char kHelp[] =
    "fake_endpoint [OPTION VALUE]...   prints its port; ends when its standard input is closed\n"
    "  --port N          default 0: any free one\n"
    "  --tool NAME       the tool it calls; default: the first that is offered\n"
    "  --arguments JSON  of that call; default {}\n"
    "  --text TEXT       the final answer; {result} becomes the last tool result\n"
    "  --rounds N        answers with tool calls before the text; default 1\n"
    "  --calls N         tool calls in one such answer; default 1\n"
    "  --chunks N        pieces of a streamed text; default 8\n"
    "  --usage N         times what it used, in what it reports; default 1\n"
    "  --delay MS        before every answer\n"
    "  --key KEY         asks for this bearer token\n"
    "  --journal FILE    a line of JSON per request asked and answered\n"
    "  --bodies yes      the journal holds the requests' bodies too\n"
    "  --fail LIST       N=HOW or *=HOW, with commas: 400..599 (with :SECONDS for Retry-After), html, json, nothing, hang,\n"
    "                    half, badargs, wrongargs, context, quota. N counts all requests from 1\n"
    "  --dimensions N    of a vector; default 256\n"
    "  --means LIST      WORD=OTHER, with commas: the word lies where the other one does\n"
    "  --embeddings HOW  every embedding fails in this way\n";

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "fake_endpoint: %s\n%s", problem.c_str(), kHelp);
  std::exit(2);
}

int number(std::string_view text, std::string_view option) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value < 0) usage(std::string(option) + " takes a number");
  return value;
}

void read_failures(std::string_view list, agentd::endpoint::Scenario& scenario) {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == item.npos) usage("--fail takes N=HOW");
    const auto how = item.substr(equals + 1);
    if (const auto problem = agentd::endpoint::check_failure(how)) usage(*problem);
    scenario.failures[item.substr(0, equals) == "*" ? 0 : number(item.substr(0, equals), "--fail")] = how;
  }
}

void read_meanings(std::string_view list, agentd::endpoint::Scenario& scenario) {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == item.npos) usage("--means takes WORD=OTHER");
    scenario.means.emplace(item.substr(0, equals), item.substr(equals + 1));
  }
}

}  // namespace

int main(int argc, char** argv) {
  agentd::endpoint::Scenario scenario;
  std::string journal_path;
  int port = 0;
  bool bodies = false;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--help") return std::fputs(kHelp, stdout), 0;
    if (i + 1 >= argc) usage(std::string(option) + " takes a value");
    const std::string value = argv[i + 1];
    if (option == "--port") port = number(value, option);
    else if (option == "--tool") scenario.tool = value;
    else if (option == "--arguments") scenario.arguments = value;
    else if (option == "--text") scenario.text = value;
    else if (option == "--rounds") scenario.rounds = number(value, option);
    else if (option == "--calls") scenario.calls = number(value, option);
    else if (option == "--chunks") scenario.chunks = number(value, option);
    else if (option == "--usage") scenario.usage = number(value, option);
    else if (option == "--delay") scenario.delay = std::chrono::milliseconds(number(value, option));
    else if (option == "--key") scenario.key = value;
    else if (option == "--journal") journal_path = value;
    else if (option == "--bodies") bodies = value == "yes";
    else if (option == "--dimensions") scenario.dimensions = std::max(number(value, option), 1);
    else if (option == "--means") read_meanings(value, scenario);
    else if (option == "--embeddings") {
      if (const auto problem = agentd::endpoint::check_failure(value)) usage(*problem);
      scenario.embeddings = value;
    }
    else if (option == "--fail") read_failures(value, scenario);
    else usage("no such option: " + std::string(option));
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  agentd::endpoint::Journal none;
  auto journal = journal_path.empty() ? nullptr : std::make_unique<agentd::endpoint::Journal>(journal_path, bodies);
  agentd::endpoint::Server server(std::move(scenario), journal ? *journal : none, port);
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  server.run(STDIN_FILENO);
}
