// etcd/snapshot.hpp: a member's database, saved into a file that is whole or not there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "async/blocking_pool.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::etcd {

class Channel;

struct SaveSnapshotOptions {
  std::string path{};  ///< an existing file is replaced once the new one is whole
  Deadline deadline = Deadline::max();
  /// Told now and then; `total` is 0 while it is not known.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress{};
};

struct SavedSnapshot {
  std::uint64_t bytes = 0;  ///< of the file, with its checksum
  std::string version{};    ///< of the server's storage, 3.6+
};

/// Streams the database of the member that answers into a file beside `path`, checks the SHA-256
/// that the server sent at its end, syncs it, and gives it its name. Memory for a few pieces. Needs
/// root where authentication is on.
///
/// Errors: kDataLoss: what came is not what the server sent; kResourceExhausted: no space on the
///         disk; kPermissionDenied, kNotFound: of the folder; those of Channel::open.
/// Cancel: what was written is removed.
Task<Result<SavedSnapshot>> save_snapshot(Channel& channel, async::BlockingPool& pool,
                                          SaveSnapshotOptions options);

}  // namespace etcdmon::etcd
