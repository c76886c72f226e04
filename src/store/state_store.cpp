#include "store/state_store.hpp"

#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/blocking_pool.hpp"
#include "async/timeout.hpp"
#include "store/detail/outbox_tables.hpp"
#include "store/detail/sqlite.hpp"
#include "store/json.hpp"

namespace etcdmon::store {

namespace {

using detail::Database;
using detail::OutboxTables;

std::int64_t nanoseconds(WallTime time) {
  return time.time_since_epoch().count();
}

// What SQLite finds wrong with the file, or nothing.
Result<void> check(Database& database) {
  auto query = database.query("PRAGMA quick_check(1)");
  const auto row = query.step();
  if (!row) return row.error();
  if (query.text(0) != "ok") return Error{ErrorCode::kDataLoss, query.text(0)};
  return {};
}

// What the one who starts the monitor can do about it.
Error opening(Error error, const std::string& path) {
  switch (error.code) {
    case ErrorCode::kDataLoss:
      error.message = fmt::format(
          "{} is damaged ({}). It holds which alerts were told to whom, so it is not replaced by "
          "itself: restore it from a backup, or move it away (with its -wal file) and accept that "
          "firing alerts are told once more",
          path, error.message);
      return error;
    case ErrorCode::kUnavailable:
      if (error.message.find("another process") != std::string::npos) {
        return {ErrorCode::kFailedPrecondition,
                fmt::format("{} is in use by another process: two monitors cannot share a "
                            "directory; set storage.directory, or stop the other one",
                            path),
                Cause::kLocal};
      }
      break;
    case ErrorCode::kNotFound:
    case ErrorCode::kPermissionDenied:
      error.message +=
          "; the directory must exist and belong to the user that runs the monitor "
          "(storage.directory)";
      break;
    default:
      break;
  }
  return with_context(std::move(error), fmt::format("opening {}", path));
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kAlert:
      return "alert";
    case Kind::kSilence:
      return "silence";
    case Kind::kAcknowledgement:
      return "acknowledgement";
    case Kind::kGroup:
      return "group";
    case Kind::kMaintenance:
      return "maintenance";
    case Kind::kMonitor:
      return "monitor";
  }
  return "monitor";
}

// Shared with the jobs, so that one which outlives its store has something to work on.
struct StateStore::State {
  struct Tables {
    Database database;
    std::optional<OutboxTables> outbox;
    std::shared_ptr<const Clock> clock;

    Result<void> save(const Change& change);
    Result<std::vector<Record>> records(Kind kind);
    Result<std::vector<model::AlertEvent>> history(const HistoryQuery& query);
    Result<void> prune(WallTime before);
  };

  class Queue final : public Outbox {
   public:
    explicit Queue(State& state) : state_(state) {}

    Task<Result<void>> push(std::vector<model::Notification> notifications) override {
      return state_.run([all = std::move(notifications)](Tables& tables) {
        return tables.save(Change{.notifications = all});
      });
    }
    Task<Result<Claimed>> claim(std::string channel, std::size_t limit,
                                std::chrono::milliseconds hold) override {
      return state_.run([channel = std::move(channel), limit, hold](Tables& tables) {
        return tables.outbox->claim(channel, limit, hold, tables.clock->now());
      });
    }
    Task<Result<void>> settle(std::string lease_id, Settlement settlement) override {
      return state_.run(
          [id = std::move(lease_id), settlement = std::move(settlement)](Tables& tables) {
            return tables.outbox->settle(id, settlement, tables.clock->now());
          });
    }
    Task<Result<std::vector<DeadLetter>>> dead_letters(std::size_t limit) override {
      return state_.run([limit](Tables& tables) { return tables.outbox->dead_letters(limit); });
    }
    Task<Result<void>> revive(std::string dead_letter_id) override {
      return state_.run([id = std::move(dead_letter_id)](Tables& tables) {
        return tables.outbox->revive(id, tables.clock->now());
      });
    }
    Task<Result<void>> drop(std::string dead_letter_id) override {
      return state_.run(
          [id = std::move(dead_letter_id)](Tables& tables) { return tables.outbox->drop(id); });
    }
    Task<Result<std::vector<QueueCount>>> counts() override {
      return state_.run([](Tables& tables) { return tables.outbox->counts(); });
    }

   private:
    State& state_;
  };

  explicit State(std::shared_ptr<Tables> opened) : tables(std::move(opened)) {}

  template <class Work>
  auto run(Work work) -> Task<std::invoke_result_t<Work, Tables&>> {
    return pool.run([tables = tables, work = std::move(work)] { return work(*tables); });
  }

  std::shared_ptr<Tables> tables;
  async::BlockingPool pool{{.name = "state.db", .threads = 1, .queue = 10'000}};
  Queue queue{*this};
};

Result<void> StateStore::State::Tables::save(const Change& change) {
  const auto now = clock->now();
  return database.transaction([&]() -> Result<void> {
    for (const auto& record : change.put) {
      auto put =
          database.query("INSERT OR REPLACE INTO record(kind, key, body) VALUES(?1, ?2, ?3)");
      if (auto done = put.bind_all(name_of(record.kind), record.key, record.body).run(); !done)
        return done;
    }
    for (const auto& [kind, key] : change.remove) {
      auto remove = database.query("DELETE FROM record WHERE kind = ?1 AND key = ?2");
      if (auto done = remove.bind_all(name_of(kind), key).run(); !done) return done;
    }
    for (const auto& event : change.history) {
      auto insert =
          database.query("INSERT INTO history(at, cluster, alert_id, body) VALUES(?1, ?2, ?3, ?4)");
      insert.bind_all(nanoseconds(event.at), event.alert.cluster, event.alert.id, to_json(event));
      if (auto done = insert.run(); !done) return done;
    }
    for (const auto& notification : change.notifications) {
      if (auto done = outbox->push(notification, now); !done) return done;
    }
    return {};
  });
}

Result<std::vector<Record>> StateStore::State::Tables::records(Kind kind) {
  std::vector<Record> found;
  auto query = database.query("SELECT key, body FROM record WHERE kind = ?1 ORDER BY key");
  query.bind_all(name_of(kind));
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({kind, query.text(0), query.text(1)});
  }
}

Result<std::vector<model::AlertEvent>> StateStore::State::Tables::history(
    const HistoryQuery& wanted) {
  constexpr auto kEver = std::numeric_limits<std::int64_t>::max();
  std::vector<model::AlertEvent> events;
  auto query = database.query(
      "SELECT body FROM history WHERE (?1 = '' OR cluster = ?1) AND (?2 = '' OR alert_id = ?2) AND "
      "at >= ?3 AND at < ?4 ORDER BY seq DESC LIMIT ?5");
  query.bind_all(wanted.cluster, wanted.alert_id, wanted.from ? nanoseconds(*wanted.from) : 0,
                 wanted.to ? nanoseconds(*wanted.to) : kEver,
                 static_cast<std::int64_t>(wanted.limit));
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return events;
    auto event = parse_alert_event(query.text(0));
    if (!event) return std::move(event).error();
    events.push_back(*std::move(event));
  }
}

Result<void> StateStore::State::Tables::prune(WallTime before) {
  return database.transaction([&]() -> Result<void> {
    auto history = database.query("DELETE FROM history WHERE at < ?1");
    if (auto done = history.bind_all(nanoseconds(before)).run(); !done) return done;
    auto attempts = database.query("DELETE FROM attempt WHERE at < ?1");
    return attempts.bind_all(nanoseconds(before)).run();
  });
}

StateStore::StateStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
StateStore::~StateStore() = default;

Result<std::unique_ptr<StateStore>> StateStore::open(const Options& options) {
  auto database = Database::open(options.path);
  if (!database) return opening(database.error(), options.path);
  auto tables = std::make_shared<State::Tables>();
  tables->database = *std::move(database);
  tables->clock = options.clock ? options.clock : std::make_shared<SystemClock>();
  if (auto checked = check(tables->database); !checked)
    return opening(checked.error(), options.path);
  if (auto migrated = detail::migrate(tables->database, detail::state_steps()); !migrated)
    return opening(migrated.error(), options.path);
  auto outbox = OutboxTables::make(tables->database, options.max_waiting);
  if (!outbox) return opening(outbox.error(), options.path);
  tables->outbox = *outbox;
  return std::unique_ptr<StateStore>(new StateStore(std::make_unique<State>(std::move(tables))));
}

Task<Result<void>> StateStore::commit(Change change) {
  return state_->run([change = std::move(change)](State::Tables& tables) -> Result<void> {
    if (change.empty()) return {};
    return tables.save(change);
  });
}

Task<Result<std::vector<Record>>> StateStore::records(Kind kind) {
  return state_->run([kind](State::Tables& tables) { return tables.records(kind); });
}

Result<std::vector<Record>> StateStore::load(Kind kind) {
  return state_->tables->records(kind);
}

Task<Result<std::vector<model::AlertEvent>>> StateStore::history(HistoryQuery query) {
  return state_->run(
      [query = std::move(query)](State::Tables& tables) { return tables.history(query); });
}

Task<Result<std::vector<Attempt>>> StateStore::attempts(std::string dedup_key, std::size_t limit) {
  return state_->run([key = std::move(dedup_key), limit](State::Tables& tables) {
    return tables.outbox->attempts(key, limit);
  });
}

Task<Result<void>> StateStore::prune(WallTime before) {
  return state_->run([before](State::Tables& tables) { return tables.prune(before); });
}

Outbox& StateStore::outbox() {
  return state_->queue;
}

Task<bool> StateStore::close(Deadline deadline) {
  // The file is whole without its log then: it may be copied.
  auto leave = [tables = state_->tables] { *tables = State::Tables{}; };
  co_await async::with_deadline(state_->pool.run(std::move(leave)), deadline);
  co_return co_await state_->pool.close(deadline);
}

}  // namespace etcdmon::store
