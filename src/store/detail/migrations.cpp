#include <array>

#include <fmt/format.h>

#include "store/detail/sqlite.hpp"

namespace etcdmon::store::detail {

namespace {

// From one version of the file to the next, never back. A row that was released is not changed any
// more: what must be different later is a row of its own.
constexpr std::array kStateSteps = {
    // 1: alerts, their history, the outbox
    R"(CREATE TABLE record(
         kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
         PRIMARY KEY(kind, key)) WITHOUT ROWID;
       CREATE TABLE history(
         seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, cluster TEXT NOT NULL,
         alert_id TEXT NOT NULL, body TEXT NOT NULL);
       CREATE INDEX history_by_time ON history(at);
       CREATE INDEX history_by_alert ON history(alert_id, seq);
       CREATE TABLE outbox(
         seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, dedup_key TEXT NOT NULL,
         status TEXT NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL,
         attempts INTEGER NOT NULL DEFAULT 0);
       CREATE INDEX outbox_by_key ON outbox(channel, dedup_key, seq);
       CREATE INDEX outbox_by_channel ON outbox(channel, seq);
       CREATE TABLE dead_letter(
         seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, body TEXT NOT NULL,
         attempts INTEGER NOT NULL, died_at INTEGER NOT NULL, why TEXT NOT NULL);
       CREATE TABLE attempt(
         seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, channel TEXT NOT NULL,
         message_id TEXT NOT NULL, dedup_key TEXT NOT NULL, number INTEGER NOT NULL,
         took_ms INTEGER NOT NULL, outcome TEXT NOT NULL, status INTEGER NOT NULL,
         why TEXT NOT NULL);
       CREATE INDEX attempt_by_time ON attempt(at);
       CREATE INDEX attempt_by_key ON attempt(dedup_key, seq);)",
};

constexpr std::array kHistorySteps = {
    // 1: rows as they came, then blocks of an hour, a day, 32 days; what stands in a body is told
    // in history/sqlite_history.cpp. Levels are those of HistoryLevel, times are milliseconds.
    R"(CREATE TABLE source(
         id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, member INTEGER NOT NULL,
         name TEXT NOT NULL, UNIQUE(cluster, member));
       CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
       CREATE TABLE open_row(
         source INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
         PRIMARY KEY(source, at)) WITHOUT ROWID;
       CREATE TABLE block(
         source INTEGER NOT NULL, level INTEGER NOT NULL, first INTEGER NOT NULL,
         times BLOB NOT NULL, rolled INTEGER NOT NULL DEFAULT 0,
         PRIMARY KEY(source, level, first)) WITHOUT ROWID;
       CREATE TABLE chunk(
         source INTEGER NOT NULL, level INTEGER NOT NULL, metric INTEGER NOT NULL,
         first INTEGER NOT NULL, body BLOB NOT NULL,
         PRIMARY KEY(source, level, metric, first)) WITHOUT ROWID;)",
};

Result<std::int64_t> version_of(Database& database) {
  auto query = database.query("PRAGMA user_version");
  const auto row = query.step();
  if (!row) return row.error();
  return query.number(0);
}

}  // namespace

MigrationSteps state_steps() {
  return kStateSteps;
}

MigrationSteps history_steps() {
  return kHistorySteps;
}

Result<void> migrate(Database& database, MigrationSteps steps) {
  const auto version = version_of(database);
  if (!version) return version.error();
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (*version > newest) {
    return Error{ErrorCode::kFailedPrecondition,
                 fmt::format("written by a newer etcd-monitor (form {}, this one knows {}): run "
                             "that version again, or give this one another directory",
                             *version, newest)};
  }
  for (auto next = *version; next < newest; ++next) {
    const auto done = database.transaction([&]() -> Result<void> {
      if (auto made = database.run(steps[static_cast<std::size_t>(next)]); !made) return made;
      return database.run(fmt::format("PRAGMA user_version={}", next + 1));
    });
    if (!done) return with_context(done.error(), fmt::format("bringing it to form {}", next + 1));
  }
  return {};
}

}  // namespace etcdmon::store::detail
