// store/detail/outbox_tables.hpp: the outbox in SQLite, as plain calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/detail/sqlite.hpp"
#include "store/outbox.hpp"

namespace etcdmon::store::detail {

/// Who holds an entry, and until when one backs off, is no matter of durability: it lives in a
/// temporary table, costs no write to the disk, and ends with the process. So all that waits is due
/// at once after a restart.
///
/// Threads: that of its database.
class OutboxTables {
 public:
  static Result<OutboxTables> make(Database& database, std::size_t max_waiting);

  /// Inside a transaction of the caller.
  Result<void> push(const model::Notification& notification, Now now);
  Result<Claimed> claim(const std::string& channel, std::size_t limit,
                        std::chrono::milliseconds hold, Now now);
  Result<void> settle(const std::string& lease_id, const Settlement& settlement, Now now);
  Result<std::vector<DeadLetter>> dead_letters(std::size_t limit);
  Result<void> revive(const std::string& dead_letter_id, Now now);
  Result<void> drop(const std::string& dead_letter_id);
  Result<std::vector<QueueCount>> counts();
  Result<std::vector<Attempt>> attempts(const std::string& dedup_key, std::size_t limit);

 private:
  OutboxTables(Database& database, std::size_t max_waiting)
      : database_(&database), max_waiting_(max_waiting) {}

  Result<bool> replace(const model::Notification& notification, Now now);
  Result<void> record(const Attempt& attempt);
  Result<void> to_dead_letters(std::int64_t entry, const Settlement& settlement, Now now);

  Database* database_;
  std::size_t max_waiting_;
  std::uint64_t leases_ = 0;  ///< handed out so far: part of their ids
};

}  // namespace etcdmon::store::detail
