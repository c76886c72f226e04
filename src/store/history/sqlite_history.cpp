#include "store/history/sqlite_history.hpp"

#include <utility>

#include <fmt/format.h>

#include "store/detail/sqlite_tables.hpp"
#include "store/history/block_history.hpp"

namespace etcdmon::store {

Result<std::unique_ptr<HistoryBackend>> open_sqlite_history(const std::string& path) {
  ETCDMON_TRY(auto tables, detail::SqliteTables::open(path));
  auto history = std::make_unique<BlockHistory>(std::move(tables));
  if (auto loaded = history->load(); !loaded)
    return with_context(std::move(loaded).error(), fmt::format("opening {}", path));
  return std::unique_ptr<HistoryBackend>(std::move(history));
}

}  // namespace etcdmon::store
