// app/cli/ctl/bolt/snapshot_status.hpp: what is in a snapshot of etcd, as etcdctl and etcdutl count
// it.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/ctl/print/output.hpp"
#include "app/cli/ctl/printer.hpp"
#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// Whether the SHA-256 behind a snapshot is that of the snapshot.
enum class Checksum : std::uint8_t {
  kNone,  ///< a database from a data folder has none
  kRight,
  kWrong,
};
Checksum checksum_of(std::string_view bytes);

/// Until 3.5 every entry of every bucket counts as a key, from 3.6 on the keys that exist.
Result<SnapshotFile> snapshot_status(std::string_view bytes, Compat compat);

}  // namespace etcdmon::app::cli::ctl
