#include "host/loudness.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/event/expand.hpp"

namespace agentd::host {
namespace {

using port::RunStatus;

Level loudest_event(const event::Body& body, RunStatus status) {
  const port::StoredRecord record{
      .position = 7, .run = {3, 1}, .agent_id = "a", .kind = event::kind(body), .status = status, .payload = event::encode(body)};
  const auto events = event::expand(record).value();
  Level loudest = Level::debug;
  for (const auto& event : events) loudest = std::max(loudest, level_of(event.type));
  return loudest;
}

void expect_as_loud_as_its_events(const event::Body& body, RunStatus status = {}) {
  EXPECT_EQ(loudest_of(body, status), loudest_event(body, status))
      << "kind " << event::kind(body) << ", status " << static_cast<int>(status);
}

constexpr RunStatus kEnds[] = {RunStatus::completed, RunStatus::failed, RunStatus::timed_out, RunStatus::cancelled,
                               RunStatus::quarantined, RunStatus::skipped};

TEST(Loudness, OfARecordIsThatOfItsLoudestEvent) {
  for (const auto status : {RunStatus::queued, RunStatus::skipped, RunStatus::dropped, RunStatus::missed})
    expect_as_loud_as_its_events(event::Entered{}, status);
  for (const auto status : kEnds) expect_as_loud_as_its_events(event::Ended{.status = status});
  for (const bool ends_attempt : {false, true}) {
    event::Waiting waiting{.what = event::Waiting::For::retry, .attempt = 2, .ends_attempt = ends_attempt};
    if (ends_attempt) waiting.fault = event::Fault{ErrorClass::retryable, "no answer"};
    expect_as_loud_as_its_events(waiting);
  }
  const event::Fault exhausted{ErrorClass::budget, "no room", event::Exhausted{"host", "2026-11-22", "cost", 1, 1}};
  expect_as_loud_as_its_events(event::Waiting{.what = event::Waiting::For::budget, .fault = exhausted});
  const event::Body others[] = {event::Started{},
                                event::Answered{},
                                event::ToolFinished{},
                                event::CallFailed{},
                                event::Released{},
                                event::HostStarted{},
                                event::HostStopped{},
                                event::AgentChanged{},
                                event::PluginLoaded{},
                                event::PluginFailed{},
                                event::EventsPruned{},
                                event::BudgetRaised{},
                                event::Gated{},
                                event::Decided{},
                                event::Reviewed{.what = event::Reviewed::What::edit},
                                event::Reviewed{.what = event::Reviewed::What::retry},
                                event::Reviewed{.what = event::Reviewed::What::drop},
                                event::Waiting{.what = event::Waiting::For::approval, .questions = {{.tool = "fs.write_file"}}}};
  for (const auto& body : others) expect_as_loud_as_its_events(body);
}

}  // namespace
}  // namespace agentd::host
