// A copy of every event in one SQLite file: the component `sqlite` of agentd.events/1.
#pragma once
#include <agentd/sdk/events.hpp>

#include "db.hpp"
#include "settings.hpp"

namespace agentd::sqlite {

class Events : public sdk::EventStore {
 public:
  using Config = Settings;
  explicit Events(const Settings& settings);
  void append(const sdk::EventBatch& batch) override;  // one transaction; ids that came already are left out

 private:
  Db db_;
  Statement insert_;
};

}  // namespace agentd::sqlite
