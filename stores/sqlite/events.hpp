// A copy of every event in one SQLite file: the component `sqlite` of agentd.events/1.
#pragma once
#include <agentd/sdk/events.hpp>

#include "db.hpp"
#include "settings.hpp"
#include "stores/lock/file_lock.hpp"

namespace agentd::sqlite {

class Events : public sdk::EventStore {
 public:
  using Config = Settings;
  explicit Events(const Settings& settings);
  void append(const sdk::EventBatch& batch) override;  // one transaction; events that came already are left out

 private:
  void check_came_before(const sdk::Event& event);

  const std::filesystem::path file_;
  stores::FileLock lock_;
  Db db_;
  Statement insert_, kept_;
};

}  // namespace agentd::sqlite
