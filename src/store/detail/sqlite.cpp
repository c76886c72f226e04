#include "store/detail/sqlite.hpp"

#include <utility>

#include <fmt/format.h>

namespace etcdmon::store::detail {

namespace {

// Somebody who reads the file while the monitor starts, as a backup does, is waited for.
constexpr int kBusyMilliseconds = 2'000;

}  // namespace

Error sqlite_error(sqlite3* handle, int code) {
  const char* said = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::kResourceExhausted, "the disk is full", Cause::kLocal};
    case SQLITE_READONLY:
      return {ErrorCode::kUnavailable, "the file or its directory is read-only", Cause::kLocal};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable, "another process holds the file", Cause::kLocal};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kDataLoss, said, Cause::kLocal};
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::kPermissionDenied, said, Cause::kLocal};
    case SQLITE_CANTOPEN:
      return {ErrorCode::kNotFound, said, Cause::kLocal};
    case SQLITE_IOERR:
      return {ErrorCode::kUnavailable, said, Cause::kLocal};
    default:
      return {ErrorCode::kInternal, fmt::format("SQLite: {}", said), Cause::kLocal};
  }
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query::Query(Query&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      error_(std::move(other.error_)),
      failed_(other.failed_),
      bound_(other.bound_) {}

Query& Query::bind(std::int64_t number) {
  if (!failed_) sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Query& Query::bind(std::string_view text) {
  if (!failed_) {
    sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
  }
  return *this;
}

Query& Query::bind(std::span<const std::uint8_t> bytes) {
  if (!failed_) {
    sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  }
  return *this;
}

Result<bool> Query::step() {
  if (failed_) return error_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(statement_), code);
}

Result<void> Query::run() {
  const auto stepped = step();
  if (!stepped) return stepped.error();
  return {};
}

std::string Query::text(int column) const {
  const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes,
                           static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::span<const std::uint8_t> Query::bytes(int column) const {
  const auto* const data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<Database> Database::open(const std::string& path) {
  Database database;
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return sqlite_error(handle, code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  for (const char* pragma :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "PRAGMA temp_store=MEMORY", "PRAGMA foreign_keys=ON"}) {
    if (auto set = database.run(pragma); !set) return std::move(set).error();
  }
  return database;
}

Query Database::query(const char* sql) {
  auto& kept = statements_[sql];
  if (kept == nullptr) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Query(sqlite_error(handle_.get(), code));
    kept.reset(statement);
  }
  return Query(kept.get());
}

Result<void> Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_.get(), code);
  return {};
}

}  // namespace etcdmon::store::detail
