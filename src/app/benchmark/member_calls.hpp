// app/benchmark/member_calls.hpp: the few questions around a benchmark, asked of one member and
// waited for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/cluster_context.hpp"
#include "base/result.hpp"
#include "etcd/link.hpp"
#include "net/endpoint.hpp"
#include "net/resolver.hpp"

namespace etcdmon::app {

/// A connection to one member on a loop of its own.
///
/// Threads: one; functions block.
class MemberCalls {
 public:
  MemberCalls(const ClusterOptions& options, net::Endpoint endpoint);
  ~MemberCalls();
  MemberCalls(const MemberCalls&) = delete;
  MemberCalls& operator=(const MemberCalls&) = delete;

  /// Errors: those of claim_prefix().
  Result<void> claim(const std::string& prefix, const std::string& owner, bool clear);
  /// Deletes all keys with the prefix; how many there were.
  Result<std::int64_t> remove(const std::string& prefix);
  Result<void> compact(std::int64_t revision);
  /// Bytes of the member's database.
  Result<std::uint64_t> db_size(std::chrono::milliseconds patience);

 private:
  Loop loop_{1};
  net::Resolver resolver_;
  etcd::Link link_;
};

}  // namespace etcdmon::app
