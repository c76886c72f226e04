#include "store/detail/outbox_tables.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "store/json.hpp"

namespace etcdmon::store::detail {

namespace {

using model::Notification;

std::int64_t nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
std::int64_t nanoseconds(WallTime time) {
  return time.time_since_epoch().count();
}

// "17:3" is the third lease ever, on entry 17.
std::optional<std::int64_t> entry_of(const std::string& id) {
  std::int64_t entry = 0;
  const auto* const end = id.data() + id.size();
  const auto parsed = std::from_chars(id.data(), end, entry);
  if (parsed.ec != std::errc{} || (parsed.ptr != end && *parsed.ptr != ':')) return std::nullopt;
  return entry;
}

Error no_lease() {
  return {ErrorCode::kNotFound, "the lease is over: the entry has left, or another worker has it"};
}

}  // namespace

Result<OutboxTables> OutboxTables::make(Database& database, std::size_t max_waiting) {
  // `lease` is empty for an entry that backs off.
  auto made = database.run(
      "CREATE TEMP TABLE busy(seq INTEGER PRIMARY KEY, lease TEXT NOT NULL, until INTEGER NOT "
      "NULL)");
  if (!made) return made.error();
  return OutboxTables(database, max_waiting);
}

// True: an entry that waits says the same, and now says it with the newest values.
Result<bool> OutboxTables::replace(const Notification& notification, Now now) {
  auto last = database_->query(
      "SELECT o.seq, o.status, o.body, ifnull(b.lease, '') <> '' AND b.until > ?3 FROM outbox o "
      "LEFT JOIN temp.busy b ON b.seq = o.seq WHERE o.channel = ?1 AND o.dedup_key = ?2 "
      "ORDER BY o.seq DESC LIMIT 1");
  last.bind_all(notification.channel, notification.dedup_key, nanoseconds(now.steady));
  const auto found = last.step();
  if (!found) return found.error();
  const bool leased = *found && last.number(3) != 0;
  if (!*found || leased || last.text(1) != name_of(notification.status)) return false;
  auto merged = notification;
  const auto before = parse_notification(last.text(2));
  // Who was never told is told of something new, whatever happened since.
  if (before && (before->why == model::Why::kNew || before->why == model::Why::kEscalated))
    merged.why = before->why;
  auto update = database_->query("UPDATE outbox SET body = ?2 WHERE seq = ?1");
  const auto updated = update.bind_all(last.number(0), to_json(merged)).run();
  if (!updated) return updated.error();
  return true;
}

Result<void> OutboxTables::push(const Notification& notification, Now now) {
  const auto replaced = replace(notification, now);
  if (!replaced) return replaced.error();
  if (*replaced) return {};
  auto count = database_->query("SELECT count(*) FROM outbox");
  if (const auto row = count.step(); !row) return row.error();
  if (count.number(0) >= static_cast<std::int64_t>(max_waiting_)) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{} notifications are waiting already", max_waiting_), Cause::kLocal};
  }
  auto insert = database_->query(
      "INSERT INTO outbox(channel, dedup_key, status, body, created_at) VALUES(?1, ?2, ?3, ?4, "
      "?5)");
  return insert
      .bind_all(notification.channel, notification.dedup_key, name_of(notification.status),
                to_json(notification), nanoseconds(notification.created_at))
      .run();
}

Result<Claimed> OutboxTables::claim(const std::string& channel, std::size_t limit,
                                    std::chrono::milliseconds hold, Now now) {
  Claimed claimed;
  {
    auto due = database_->query(
        "SELECT seq, body, attempts FROM outbox o WHERE channel = ?1 AND NOT EXISTS(SELECT 1 FROM "
        "temp.busy b WHERE b.seq = o.seq AND b.until > ?2) AND NOT EXISTS(SELECT 1 FROM outbox e "
        "WHERE e.channel = o.channel AND e.dedup_key = o.dedup_key AND e.seq < o.seq) "
        "ORDER BY seq LIMIT ?3");
    due.bind_all(channel, nanoseconds(now.steady), static_cast<std::int64_t>(limit));
    while (true) {
      const auto row = due.step();
      if (!row) return row.error();
      if (!*row) break;
      auto notification = parse_notification(due.text(1));
      if (!notification) return std::move(notification).error();
      claimed.leases.push_back({.id = fmt::format("{}:{}", due.number(0), ++leases_),
                                .notification = *std::move(notification),
                                .attempt = static_cast<int>(due.number(2)) + 1,
                                .expires = now.steady + hold});
    }
  }
  for (const auto& lease : claimed.leases) {
    auto take = database_->query("INSERT OR REPLACE INTO temp.busy VALUES(?1, ?2, ?3)");
    take.bind_all(entry_of(lease.id).value_or(0), lease.id, nanoseconds(lease.expires));
    if (auto taken = take.run(); !taken) return taken.error();
  }
  if (claimed.leases.size() == limit) {
    claimed.next_in = std::chrono::milliseconds(0);
    return claimed;
  }
  auto next = database_->query(
      "SELECT min(b.until), count(*) FROM temp.busy b JOIN outbox o ON o.seq = b.seq "
      "WHERE o.channel = ?1");
  if (const auto row = next.bind_all(channel).step(); !row) return row.error();
  if (next.number(1) > 0) {
    const auto wait = std::chrono::nanoseconds(next.number(0) - nanoseconds(now.steady));
    claimed.next_in =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(wait), std::chrono::milliseconds(0));
  }
  return claimed;
}

Result<void> OutboxTables::settle(const std::string& lease_id, const Settlement& settlement,
                                  Now now) {
  const auto entry = entry_of(lease_id);
  if (!entry) return no_lease();
  {
    auto held = database_->query(
        "SELECT 1 FROM outbox o JOIN temp.busy b ON b.seq = o.seq WHERE o.seq = ?1 AND b.lease = "
        "?2");
    const auto row = held.bind_all(*entry, lease_id).step();
    if (!row) return row.error();
    if (!*row) return no_lease();
  }
  // The temporary table follows only once the rest is on disk: a lease whose end could not be
  // written is still a lease.
  const auto end = [&](std::int64_t until) {
    auto busy = database_->query("UPDATE temp.busy SET lease = '', until = ?2 WHERE seq = ?1");
    return busy.bind_all(*entry, until).run();
  };
  if (settlement.kind == Settlement::Kind::kReleased) return end(0);
  auto done = database_->transaction([&]() -> Result<void> {
    if (settlement.attempt) {
      if (auto recorded = record(*settlement.attempt); !recorded) return recorded;
    }
    if (settlement.kind == Settlement::Kind::kRetry) {
      auto tried = database_->query("UPDATE outbox SET attempts = attempts + 1 WHERE seq = ?1");
      return tried.bind_all(*entry).run();
    }
    if (settlement.kind == Settlement::Kind::kDead) {
      if (auto moved = to_dead_letters(*entry, settlement, now); !moved) return moved;
    }
    return database_->query("DELETE FROM outbox WHERE seq = ?1").bind_all(*entry).run();
  });
  if (!done) return done;
  if (settlement.kind == Settlement::Kind::kRetry)
    return end(nanoseconds(now.steady + settlement.backoff));
  return database_->query("DELETE FROM temp.busy WHERE seq = ?1").bind_all(*entry).run();
}

Result<void> OutboxTables::record(const Attempt& attempt) {
  auto insert = database_->query(
      "INSERT INTO attempt(at, channel, message_id, dedup_key, number, took_ms, outcome, status, "
      "why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  return insert
      .bind_all(nanoseconds(attempt.at), attempt.channel, attempt.message_id, attempt.dedup_key,
                std::int64_t{attempt.number}, std::int64_t{attempt.took.count()}, attempt.outcome,
                std::int64_t{attempt.status}, attempt.why)
      .run();
}

Result<void> OutboxTables::to_dead_letters(std::int64_t entry, const Settlement& settlement,
                                           Now now) {
  auto move = database_->query(
      "INSERT INTO dead_letter(channel, body, attempts, died_at, why) "
      "SELECT channel, body, attempts + ?2, ?3, ?4 FROM outbox WHERE seq = ?1");
  return move
      .bind_all(entry, std::int64_t{settlement.attempt ? 1 : 0}, nanoseconds(now.wall),
                settlement.attempt ? settlement.attempt->why : std::string())
      .run();
}

Result<std::vector<DeadLetter>> OutboxTables::dead_letters(std::size_t limit) {
  std::vector<DeadLetter> letters;
  auto query = database_->query(
      "SELECT seq, body, attempts, died_at, why FROM dead_letter ORDER BY seq DESC LIMIT ?1");
  query.bind_all(static_cast<std::int64_t>(limit));
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return letters;
    auto notification = parse_notification(query.text(1));
    if (!notification) return std::move(notification).error();
    letters.push_back({.id = fmt::format("{}", query.number(0)),
                       .notification = *std::move(notification),
                       .attempts = static_cast<int>(query.number(2)),
                       .died_at = WallTime(std::chrono::nanoseconds(query.number(3))),
                       .why = query.text(4)});
  }
}

Result<void> OutboxTables::revive(const std::string& dead_letter_id, Now now) {
  const auto letter = entry_of(dead_letter_id);
  return database_->transaction([&]() -> Result<void> {
    std::string body;
    {
      auto query = database_->query("SELECT body FROM dead_letter WHERE seq = ?1");
      const auto row = query.bind_all(letter.value_or(0)).step();
      if (!row) return row.error();
      if (!*row) return Error{ErrorCode::kNotFound, "no such dead letter"};
      body = query.text(0);
    }
    const auto notification = parse_notification(body);
    if (!notification) return notification.error();
    if (auto pushed = push(*notification, now); !pushed) return pushed;
    return database_->query("DELETE FROM dead_letter WHERE seq = ?1").bind_all(*letter).run();
  });
}

Result<void> OutboxTables::drop(const std::string& dead_letter_id) {
  auto drop = database_->query("DELETE FROM dead_letter WHERE seq = ?1 RETURNING seq");
  const auto row = drop.bind_all(entry_of(dead_letter_id).value_or(0)).step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kNotFound, "no such dead letter"};
  return {};
}

Result<std::vector<QueueCount>> OutboxTables::counts() {
  std::vector<QueueCount> counts;
  auto query = database_->query(
      "SELECT channel, sum(dead = 0), sum(dead), min(at) FROM (SELECT channel, 0 AS dead, "
      "created_at AS at FROM outbox UNION ALL SELECT channel, 1, NULL FROM dead_letter) "
      "GROUP BY channel ORDER BY channel");
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return counts;
    auto& count = counts.emplace_back();
    count.channel = query.text(0);
    count.waiting = static_cast<std::uint64_t>(query.number(1));
    count.dead = static_cast<std::uint64_t>(query.number(2));
    if (count.waiting > 0) count.oldest = WallTime(std::chrono::nanoseconds(query.number(3)));
  }
}

Result<std::vector<Attempt>> OutboxTables::attempts(const std::string& dedup_key,
                                                    std::size_t limit) {
  std::vector<Attempt> attempts;
  auto query = database_->query(
      "SELECT at, channel, message_id, dedup_key, number, took_ms, outcome, status, why FROM "
      "attempt WHERE ?1 = '' OR dedup_key = ?1 ORDER BY seq DESC LIMIT ?2");
  query.bind_all(dedup_key, static_cast<std::int64_t>(limit));
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return attempts;
    attempts.push_back({.channel = query.text(1),
                        .message_id = query.text(2),
                        .dedup_key = query.text(3),
                        .number = static_cast<int>(query.number(4)),
                        .at = WallTime(std::chrono::nanoseconds(query.number(0))),
                        .took = std::chrono::milliseconds(query.number(5)),
                        .outcome = query.text(6),
                        .status = static_cast<int>(query.number(7)),
                        .why = query.text(8)});
  }
}

}  // namespace etcdmon::store::detail
