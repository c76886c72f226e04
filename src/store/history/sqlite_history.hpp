// store/history/sqlite_history.hpp: history in one SQLite file.
#pragma once

#include <memory>
#include <string>

#include "store/history/history.hpp"

namespace etcdmon::store {

/// ":memory:" for a history that ends with the process.
/// Errors: kDataLoss: no history, or a broken one; kFailedPrecondition: of a newer version, or in
/// use by another monitor; kPermissionDenied, kResourceExhausted, kNotFound.
Result<std::unique_ptr<HistoryBackend>> open_sqlite_history(const std::string& path);

}  // namespace etcdmon::store
