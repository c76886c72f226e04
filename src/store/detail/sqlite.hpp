// store/detail/sqlite.hpp: SQLite's C interface as values and Results.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "base/result.hpp"

namespace etcdmon::store::detail {

/// A prepared statement with its values; given back to its database when it goes.
///
/// Errors of binding and stepping are kept, and told by the next step().
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  explicit Query(Error error) : error_(std::move(error)), failed_(true) {}
  ~Query();
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;

  Query& bind(std::int64_t number);
  Query& bind(std::string_view text);
  Query& bind(std::span<const std::uint8_t> bytes);
  template <class... Values>
  Query& bind_all(const Values&... values) {
    (bind(values), ...);
    return *this;
  }

  /// True: there is a row to look at.
  Result<bool> step();
  /// For statements without rows.
  Result<void> run();

  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const;
  /// Lifetime: until the next step().
  std::span<const std::uint8_t> bytes(int column) const;
  bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* statement_ = nullptr;
  Error error_;
  bool failed_ = false;
  int bound_ = 0;
};

/// One connection. Threads: one at a time.
class Database {
 public:
  /// WAL, synchronous=FULL, exclusive: a second process is refused (kFailedPrecondition).
  static Result<Database> open(const std::string& path);

  /// `sql` must be a literal: statements are kept by its address.
  Query query(const char* sql);
  Result<void> run(const std::string& sql);
  /// Rows that the last statement changed.
  int changes() const { return sqlite3_changes(handle_.get()); }
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

  /// BEGIN, `body`, COMMIT; ROLLBACK where one of them fails.
  template <class Body>
  Result<void> transaction(const Body& body) {
    if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = body();
    if (done) done = run("COMMIT");
    // SQLite may have rolled back by itself; then there is nothing left to undo.
    if (!done && sqlite3_get_autocommit(handle_.get()) == 0)
      static_cast<void>(run("ROLLBACK").has_value());
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::unique_ptr<sqlite3, Close> handle_;
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

/// What SQLite's result means to us: kResourceExhausted: disk full; kDataLoss: broken file;
/// kUnavailable: locked, read-only, I/O error.
Error sqlite_error(sqlite3* handle, int code);

/// A step is what makes one form of a file from the one before: never back, and never changed once
/// it was released.
using MigrationSteps = std::span<const char* const>;
MigrationSteps state_steps();
MigrationSteps history_steps();

/// Brings the file to this program's form. Errors: kFailedPrecondition when it is newer.
Result<void> migrate(Database& database, MigrationSteps steps);

}  // namespace etcdmon::store::detail
