// store/state_store.hpp: state.db: what must survive a restart, changed in one transaction a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/alert.hpp"
#include "model/notification.hpp"
#include "store/outbox.hpp"

namespace etcdmon::store {

/// What a record is about; its owner decides what stands in its body (JSON, by habit).
enum class Kind : std::uint8_t {
  kAlert,            ///< by alert id: an alert that is pending or fires, with its times
  kSilence,          ///< by silence id
  kAcknowledgement,  ///< by alert id
  kGroup,            ///< by group key: what its receivers were told, and when
  kMaintenance,      ///< by window id
  kMonitor,          ///< by name: facts about the monitor itself
};
std::string_view name_of(Kind kind);

struct Record {
  Kind kind = Kind::kAlert;
  std::string key;
  std::string body;

  bool operator==(const Record&) const = default;
};

struct RecordKey {
  Kind kind = Kind::kAlert;
  std::string key;
};

/// All that follows from one step of the alert engine: saved as a whole, or not at all. So a crash
/// can neither lose a page (state saved, notification not) nor repeat one (the other way round).
struct Change {
  std::vector<Record> put;                         ///< inserted, or replaced by kind and key
  std::vector<RecordKey> remove;                   ///< what is not there is no error
  std::vector<model::AlertEvent> history;          ///< transitions, for who asks later
  std::vector<model::Notification> notifications;  ///< pushed as Outbox::push() does

  bool empty() const {
    return put.empty() && remove.empty() && history.empty() && notifications.empty();
  }
};

struct HistoryQuery {
  std::string cluster{};   ///< empty: all
  std::string alert_id{};  ///< empty: all
  std::optional<WallTime> from{};
  std::optional<WallTime> to{};  ///< not included
  std::size_t limit = 1'000;
};

/// The file is made where it is missing, and brought to this version's form; a newer one is
/// refused, and so is a broken one: it is never thrown away. Every commit is on disk when it
/// returns.
///
/// Threads:  the loop only; SQLite runs on a thread of its own.
/// Lifetime: must outlive the loop's last run(); close() it after the last worker.
/// Cancel:   waiting ends at once; a commit that has begun is finished all the same.
class StateStore {
 public:
  struct Options {
    std::string path;                      ///< ":memory:": nothing survives
    std::shared_ptr<const Clock> clock{};  ///< null: the machine's
    std::size_t max_waiting = 100'000;     ///< notifications; more are refused
  };

  /// Blocks. Errors: kDataLoss: the file is broken, and what to do; kFailedPrecondition: of a newer
  /// version, or in use by another monitor; kPermissionDenied, kResourceExhausted, kNotFound.
  static Result<std::unique_ptr<StateStore>> open(const Options& options);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  /// Errors: kResourceExhausted: the disk or the outbox is full; kUnavailable: the file is
  /// read-only or locked. Nothing is saved then, and the same change may be tried again.
  Task<Result<void>> commit(Change change);
  Task<Result<std::vector<Record>>> records(Kind kind);
  /// The same at start-up. Blocks; only before anything else is asked.
  Result<std::vector<Record>> load(Kind kind);

  /// The newest first.
  Task<Result<std::vector<model::AlertEvent>>> history(HistoryQuery query);
  /// Of one alert or group; empty: of all. The newest first.
  Task<Result<std::vector<Attempt>>> attempts(std::string dedup_key, std::size_t limit);
  /// Forgets history and attempts before `before`; nothing else ever goes.
  Task<Result<void>> prune(WallTime before);

  /// With Redis this is the spool.
  Outbox& outbox();
  /// False: a job still ran at `deadline`, and was left behind.
  Task<bool> close(Deadline deadline);

 private:
  struct State;
  explicit StateStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::store
