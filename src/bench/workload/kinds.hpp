// bench/workload/kinds.hpp: how each workload is made.
#pragma once

#include <memory>

#include "bench/workload/workload.hpp"

namespace etcdmon::bench {

std::unique_ptr<Workload> make_delete(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_kubernetes(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_lease_grant(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_lease_keepalive(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_lock(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_mixed(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_range(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_read(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_scale(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_txn(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_txn_mixed(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_watch_get(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_watch_latency(const RunSpec& spec, Share share);
std::unique_ptr<Workload> make_write(const RunSpec& spec, Share share);

/// Writes every key of the space once, in order.
std::unique_ptr<Workload> make_fill(const RunSpec& spec, Share share);
/// Writes the first key again and again.
std::unique_ptr<Workload> make_one_key_fill(const RunSpec& spec, Share share);

}  // namespace etcdmon::bench
