#pragma once
#include <agentd/sdk/events.hpp>
#include <agentd/sdk/http.hpp>

#include "settings.hpp"
#include "spans.hpp"

namespace agentd::otlp {

class Events final : public sdk::EventStore {
 public:
  using Config = Settings;
  Events(const Settings& settings, const sdk::Host& host);

  void append(const sdk::EventBatch& batch) override;

 private:
  void send(const std::vector<Span>& spans) const;
  void tell_of_refused(const std::string& answer, std::size_t sent) const;
  void log(const std::string& text) const { host_.log(sdk::Level::error, text); }

  const Settings settings_;
  const sdk::Host host_;
  Spans spans_;
  std::string last_;  // event that was looked at
  std::vector<Span> unsent_;
};

}  // namespace agentd::otlp
