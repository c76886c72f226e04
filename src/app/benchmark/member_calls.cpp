#include "app/benchmark/member_calls.hpp"

#include <utility>

#include "app/benchmark/prefix_claim.hpp"
#include "app/benchmark/run_on.hpp"

namespace etcdmon::app {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};

Deadline deadline() {
  return steady_clock::now() + kPatience;
}

Task<bool> closed(etcd::Link& link) {
  co_await link.close();
  co_return true;
}

}  // namespace

MemberCalls::MemberCalls(const ClusterOptions& options, net::Endpoint endpoint)
    : resolver_(loop_.get_executor()),
      link_(loop_.get_executor(), resolver_,
            {std::move(endpoint), options.collect.tls, options.collect.dial_timeout,
             options.collect.credentials.user.empty()
                 ? nullptr
                 : etcd::make_token_source(options.collect.credentials)},
            Logger{}) {}

MemberCalls::~MemberCalls() {
  run_on(loop_, closed(link_));
}

Result<void> MemberCalls::claim(const std::string& prefix, const std::string& owner, bool clear) {
  return run_on(loop_, claim_prefix(link_.client(), prefix, owner, clear, deadline()));
}

Result<std::int64_t> MemberCalls::remove(const std::string& prefix) {
  return run_on(loop_, link_.client().delete_range(prefix, end_of_prefix(prefix), deadline()));
}

Result<void> MemberCalls::compact(std::int64_t revision) {
  const auto compacted = run_on(loop_, link_.client().compact(revision, deadline()));
  if (!compacted) return compacted.error();
  return {};
}

Result<std::uint64_t> MemberCalls::db_size(std::chrono::milliseconds patience) {
  const auto status = run_on(loop_, link_.client().status(steady_clock::now() + patience));
  if (!status) return status.error();
  return status->db_size;
}

}  // namespace etcdmon::app
