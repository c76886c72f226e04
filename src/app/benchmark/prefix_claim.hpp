// app/benchmark/prefix_claim.hpp: a prefix for one run alone, so that nobody else's keys are
// deleted with it.
#pragma once

#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "etcd/client.hpp"

namespace etcdmon::app {

/// The key under `prefix` that says who runs a benchmark there.
std::string claim_key(const std::string& prefix);
/// The end of the range that holds every key with `prefix`.
std::string end_of_prefix(const std::string& prefix);

/// Writes the key `claim_key(prefix)` with `owner` where the prefix is empty. With `clear`, what an
/// earlier run left there is deleted first; keys that no run claims are never touched.
/// Errors: kFailedPrecondition: it holds keys, with what to do; what etcd answered.
Task<Result<void>> claim_prefix(etcd::Client& client, std::string prefix, std::string owner,
                                bool clear, Deadline deadline);

}  // namespace etcdmon::app
