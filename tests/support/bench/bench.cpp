#include "tests/support/bench/bench.hpp"

namespace agentd::support {
namespace {

constexpr const char* kAgent = "surveyor";

std::vector<FakeTool> or_area(std::vector<FakeTool> tools) {
  if (!tools.empty()) return tools;
  FakeTool area{.name = "area", .schema = R"({"type":"object","properties":{"length":{"type":"number"},"width":{"type":"number"}},"required":["length","width"]})"};
  area.body = [](const port::ToolCall&) { return port::Outcome{port::Status::ok, "12", {}}; };
  return {area};
}

manifest::AgentSpec make_spec(const Scene& scene) {
  manifest::AgentSpec spec;
  spec.agent_id = kAgent;
  spec.system_instruction = "You survey.";
  spec.model = {.provider = "fake", .model = "model-1"};
  spec.task.query = "What is the area?";
  if (scene.native) spec.task = {.native = "survey"};
  if (scene.gated) spec.gate = {.native = "worth_it"};
  spec.tools.allow = {"geometry.*"};
  spec.retry.jitter = 0;
  if (scene.spec) scene.spec(spec);
  return spec;
}

}  // namespace

class Bench::Source final : public run::AgentSource {
 public:
  using Make = std::function<Result<run::AgentRef>(const Change&)>;
  explicit Source(Make make) : agent_(make([](manifest::AgentSpec&) {})), make_(std::move(make)) {}
  Async<Result<run::AgentRef>> agent(std::string, std::int64_t) override { co_return agent_; }
  Async<Result<run::AgentRef>> agent_with(std::string, std::int64_t, Change change) override { co_return make_(change); }

 private:
  Result<run::AgentRef> agent_;
  Make make_;
};

Bench::Process::Process(Bench& bench)
    : ledger(bench.world_, bench.store_),
      worker({.world = bench.world_.world(), .ledger = ledger, .agents = *bench.source_, .cleaner = bench.cleaner_,
              .warn = [&bench](const std::string& line) { bench.warnings.push_back(line); }, .listener = bench.scene_.listener, .followers = bench.scene_.followers, .recipients = bench.scene_.recipients, .dry_run = bench.scene_.dry_run,
              .sharing = bench.scene_.sharing, .can_ask = bench.scene_.can_ask}),
      decisions(bench.world_.world(), ledger, bench.cleaner_) {
  ledger.serve(kAgent, true);
  worker.start();
}

Bench::Bench(Scene scene)
    : scene_(std::move(scene)),
      provider_(world_),
      toolset_(world_, or_area(scene_.tools)),
      memory_(world_),
      endpoint_("fake", provider_, std::chrono::minutes(2), {{"model-1", scene_.prices}}),
      cleaner_(scene_.secret) {
  provider_.turns = scene_.answers;
  provider_.digests = scene_.digests;
  if (scene_.embeds) {
    memory_.vectors = true;
    embedder_ = std::make_unique<memory::Embedder>(world_.world(), provider_, memory::Embedder::Settings{.provider = "fake", .model = "embed-1", .prices = scene_.prices});
  }
  source_ = std::make_unique<Source>([this](const run::AgentSource::Change& change) { return make_agent(change); });
  processes_.push_back(std::make_unique<Process>(*this));
}

Result<run::AgentRef> Bench::make_agent(const run::AgentSource::Change& change) {
  auto spec = make_spec(scene_);
  change(spec);
  auto catalog = tool::Catalog::build({{"geometry", &toolset_, 0, toolset_.tools()}}, spec.tools);
  run::Parts parts{.spec = std::move(spec), .endpoint = scene_.native ? nullptr : &endpoint_, .task = scene_.native ? &task_ : nullptr, .gate = scene_.gated ? &gate_ : nullptr,
                   .memory = {&memory_, &memory_, &memory_, embedder_.get()}};
  if (catalog) parts.tools = std::move(*catalog);
  return run::make_agent(std::move(parts));
}

// Nothing may be left suspended: a process is gone only when everything it began has unwound.
Bench::~Bench() {
  die();
  auto drain = [](run::Worker& worker) -> Async<bool> {
    co_await worker.drain(Millis(0));
    co_return true;
  };
  for (auto& process : processes_) world_.run(drain(process->worker));
}

RunId Bench::ask(event::Entered entered) {
  port::Entry entry{.agent_id = kAgent, .nonce = 7, .due_at = world_.now(), .payload = event::encode(entered)};
  if (event::is_aside(entered)) entry.overlap = port::Overlap::aside;
  entry.max_concurrent = 10'000;
  entry.queue_size = 100'000;
  std::vector<port::Entry> entries;
  entries.push_back(std::move(entry));
  const auto admissions = world_.run(ledger().enqueue(std::move(entries)));
  return admissions ? admissions->front().run : RunId{};
}

Standing Bench::until_end(RunId run, Millis patience) {
  const Tick end = world_.tick() + patience;
  world_.settle();
  while (!port::is_final(standing(run).status)) {
    const auto next = world_.next_timer();
    if (!next || world_.tick() + *next > end || ledger().is_cut()) break;
    world_.advance(*next);
  }
  return standing(run);
}

Standing Bench::standing(RunId run) const {
  Standing standing;
  const auto row = store_.runs.find(run.position);
  if (row == store_.runs.end()) return standing;
  standing.status = row->second.status;
  for (auto& ended : records<event::Ended>(run)) {
    standing.result = ended.result_json();
    standing.fault = ended.fault;
    standing.reason = ended.reason;
    standing.totals = ended.totals;
    standing.attempt = ended.attempt;
    standing.steps = ended.steps;
  }
  return standing;
}

std::expected<run::Asked, run::NoDecision> Bench::decide(RunId run, int step, int index, run::Word word) {
  return world_.run(decisions().decide({run, step, index}, std::move(word)));
}

std::vector<run::Asked> Bench::open_questions(RunId run) const {
  auto all = run::questions_of(store_.records_of(run));
  std::erase_if(all, [](const run::Asked& asked) { return !asked.open; });
  return all;
}

void Bench::restart() {
  die();
  processes_.push_back(std::make_unique<Process>(*this));
}

std::string Bench::kinds(RunId run) const {
  std::string text;
  for (const auto& record : store_.records_of(run)) text += (text.empty() ? "" : " ") + std::to_string(record.kind);
  return text;
}

}  // namespace agentd::support
