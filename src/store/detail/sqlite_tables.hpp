// store/detail/sqlite_tables.hpp: history's tables in one SQLite file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/detail/history_tables.hpp"
#include "store/detail/sqlite.hpp"

namespace etcdmon::store::detail {

class SqliteTables final : public HistoryTables {
 public:
  /// Errors: those of Database::open() and migrate().
  static Result<std::unique_ptr<SqliteTables>> open(const std::string& path);

  Result<bool> ready() override { return std::exchange(fresh_, false); }
  Result<void> write_together(const Body& body) override { return database_.transaction(body); }
  Result<void> change_blocks(const Body& body) override { return database_.transaction(body); }
  Result<std::map<std::string, MetricKey>> metrics(
      std::span<const std::string_view> names) override;
  Result<std::vector<StoredSource>> sources() override;
  Result<SourceKey> put_source(const StoredSource& source) override;
  Result<void> put_open(std::span<const OpenRow> rows) override;
  Result<void> open_rows(SourceKey source, HistoryMs from, HistoryMs to,
                         const RowVisitor& visit) override;
  Result<void> remove_open(SourceKey source, HistoryMs from, HistoryMs to) override;
  Result<std::vector<std::pair<SourceKey, HistoryMs>>> open_hours(HistoryMs before) override;
  Result<StoredBlock> block(const BlockPlace& place) override;
  Result<void> put_block(const BlockPlace& place, const StoredBlock& block) override;
  Result<std::vector<BlockPlace>> to_roll(HistoryLevel level, HistoryMs last) override;
  Result<void> mark_rolled(const BlockPlace& place) override;
  Result<void> forget(HistoryLevel level, HistoryMs last) override;
  Result<std::map<SourceKey, LevelRanges>> ranges(std::span<const SourceKey> sources) override;
  Result<void> chunks(SourceKey source, HistoryLevel level, MetricKey metric, HistoryMs after,
                      HistoryMs before, const ChunkVisitor& visit) override;
  HistoryForm form() const override;

 private:
  SqliteTables(Database database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}

  Result<std::vector<SourceKey>> source_keys();

  Database database_;
  std::string path_;
  std::vector<MetricKey> all_metrics_;
  bool fresh_ = true;
};

}  // namespace etcdmon::store::detail
