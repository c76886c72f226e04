#include "app/benchmark/prefix_claim.hpp"

#include <utility>

#include <fmt/format.h>

namespace etcdmon::app {

namespace {

constexpr char kHighest = '\xff';

Error holds_foreign_keys(const std::string& prefix, std::int64_t count, const std::string& first) {
  return Error{
      ErrorCode::kFailedPrecondition,
      fmt::format("{} holds keys that no benchmark wrote ({} in all, the first is {}), and a "
                  "benchmark deletes everything under its prefix: choose another with "
                  "--prefix",
                  prefix, count, first)};
}

Error holds_a_run(const std::string& prefix, const std::string& owner) {
  return Error{ErrorCode::kFailedPrecondition,
               fmt::format("{} is in use by a benchmark, or was left behind by one ({}): once that "
                           "is over, add --clear-prefix",
                           prefix, owner)};
}

}  // namespace

std::string claim_key(const std::string& prefix) {
  return prefix + "!benchmark";
}

std::string end_of_prefix(const std::string& prefix) {
  std::string end = prefix;
  while (!end.empty() && end.back() == kHighest) end.pop_back();
  if (end.empty()) return std::string(1, '\0');  // to the end of all keys
  ++end.back();
  return end;
}

Task<Result<void>> claim_prefix(etcd::Client& client, std::string prefix, std::string owner,
                                bool clear, Deadline deadline) {
  const auto end = end_of_prefix(prefix);
  etcd::RangeRequest first{.key = prefix, .range_end = end, .limit = 1, .keys_only = true};
  const auto there = co_await client.range(std::move(first), deadline);
  if (!there) co_return with_context(there.error(), fmt::format("reading {}", prefix));
  if (there->count > 0) {
    etcd::RangeRequest mark{.key = claim_key(prefix), .range_end = {}};
    const auto claimed = co_await client.range(std::move(mark), deadline);
    if (!claimed) co_return with_context(claimed.error(), fmt::format("reading {}", prefix));
    if (claimed->kvs.empty())
      co_return holds_foreign_keys(prefix, there->count, there->kvs.front().key);
    if (!clear) co_return holds_a_run(prefix, claimed->kvs.front().value);
    const auto cleared = co_await client.delete_range(prefix, end, deadline);
    if (!cleared) co_return with_context(cleared.error(), fmt::format("clearing {}", prefix));
  }
  etcd::PutRequest claim{.key = claim_key(prefix), .value = std::move(owner)};
  const auto written = co_await client.put(std::move(claim), deadline);
  if (!written) co_return with_context(written.error(), fmt::format("writing to {}", prefix));
  co_return Result<void>{};
}

}  // namespace etcdmon::app
