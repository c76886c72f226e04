#include "etcd/concurrency.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/shielded.hpp"
#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::etcd {

namespace {

// What waits without end asks with an end, lest a member that hangs holds it up.
constexpr std::chrono::seconds kOneCall{5};

Deadline one_call(Deadline deadline) {
  return std::min(deadline, std::chrono::steady_clock::now() + kOneCall);
}

Error lease_is_gone() {
  return {ErrorCode::kNotFound, "etcdserver: requested lease not found"};
}

wire::TxnRequest claim_request(const std::string& key, const ClaimOptions& options) {
  wire::TxnRequest request;
  auto& compare = *request.add_compare();
  compare.set_key(key);
  compare.set_target(wire::Compare::CREATE);
  compare.set_result(wire::Compare::EQUAL);
  compare.set_create_revision(0);
  auto& put = *request.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(options.value);
  put.set_lease(options.lease);
  request.add_failure()->mutable_request_range()->set_key(key);
  return request;
}

// Ends when `key` is deleted, or may have been: its history was compacted.
Task<Result<void>> wait_deleted(Channel& channel, std::string key, std::int64_t revision) {
  WatchOptions options{
      .range = KeyRange::one(std::move(key)), .start_revision = revision, .no_put = true};
  Watch watch(channel, std::move(options));
  for (;;) {
    const auto response = co_await watch.next();
    if (!response && response.error().code == ErrorCode::kOutOfRange) co_return Result<void>{};
    if (!response) co_return response.error();
    for (const auto& event : response->events()) {
      if (event.type() == wire::Event::DELETE) co_return Result<void>{};
    }
  }
}

// Ends when no claim is older than `create_revision`.
Task<Result<void>> wait_for_older(Channel& channel, std::string name, std::int64_t create_revision,
                                  Deadline deadline) {
  for (;;) {
    Kv kv(channel);
    GetOptions options{.range = KeyRange::prefix(name + "/"),
                       .limit = 1,
                       .order = Order::kDescending,
                       .sort_by = SortBy::kCreate,
                       .max_create_revision = create_revision - 1};
    const auto older = co_await kv.get(std::move(options), one_call(deadline));
    if (!older) co_return older.error();
    if (older->kvs().empty()) co_return Result<void>{};
    const auto gone =
        co_await wait_deleted(channel, older->kvs(0).key(), older->header().revision() + 1);
    if (!gone) co_return gone;
  }
}

}  // namespace

LeaseSession::LeaseSession(Executor executor, Channel& channel)
    : channel_(&channel), keep_alive_(executor, channel), scope_(executor, Logger{}) {}

Task<Result<void>> LeaseSession::open(std::chrono::seconds ttl, Deadline deadline) {
  Leases leases(*channel_);
  GrantOptions options{.ttl = ttl};
  const auto granted = co_await leases.grant(options, deadline);
  if (!granted) co_return granted.error();
  id_ = granted->id();
  keep_alive_.keep(id_, std::chrono::seconds(granted->ttl()));
  scope_.spawn("lease session", renew());
  co_return Result<void>{};
}

Task<> LeaseSession::renew() {
  for (;;) {
    const auto answer = co_await keep_alive_.next();
    if (answer && answer->ttl() > 0) continue;
    lost_.set();
    co_return;
  }
}

Task<> LeaseSession::close(Deadline deadline) {
  co_await scope_.close();
  co_await keep_alive_.close();
  if (id_ == 0 || lost_.is_set()) co_return;
  Leases leases(*channel_);
  auto revoke = leases.revoke(std::exchange(id_, 0), deadline);
  const auto revoked = co_await async::shielded(std::move(revoke));
  // It ends by itself where nobody heard us.
  (void)revoked;
}

Task<Result<Claim>> claim(Channel& channel, ClaimOptions options, Deadline deadline) {
  Claim claim{.key =
                  fmt::format("{}/{:x}", options.name, static_cast<std::uint64_t>(options.lease))};
  // The compare makes it safe to ask again: the claim is made once.
  auto made = co_await ask<wire::TxnResponse>(
      channel, path::kTxn, Repeat::kSafe, claim_request(claim.key, options), one_call(deadline));
  if (!made) co_return std::move(made).error();
  claim.create_revision = made->header().revision();
  claim.revision = claim.create_revision;
  if (!made->succeeded()) {
    const auto& there = made->responses(0).response_range();
    if (there.kvs().empty()) co_return lease_is_gone();
    claim.create_revision = there.kvs(0).create_revision();
  }
  const auto waited =
      co_await wait_for_older(channel, options.name, claim.create_revision, deadline);
  if (!waited) co_return waited.error();
  // It may have ended while we waited.
  Kv kv(channel);
  GetOptions ours{.range = KeyRange::one(claim.key)};
  const auto present = co_await kv.get(std::move(ours), one_call(deadline));
  if (!present) co_return present.error();
  if (present->kvs().empty()) co_return lease_is_gone();
  claim.revision = present->header().revision();
  co_return claim;
}

Task<Result<void>> release(Channel& channel, Claim claim, Deadline deadline) {
  wire::TxnRequest request;
  auto& compare = *request.add_compare();
  compare.set_key(claim.key);
  compare.set_target(wire::Compare::CREATE);
  compare.set_result(wire::Compare::EQUAL);
  compare.set_create_revision(claim.create_revision);
  request.add_success()->mutable_request_delete_range()->set_key(claim.key);
  const auto reply = co_await ask<wire::TxnResponse>(channel, path::kTxn, Repeat::kSafe,
                                                     std::move(request), deadline);
  if (!reply) co_return reply.error();
  co_return Result<void>{};
}

Holders::Holders(Channel& channel, std::string name)
    : channel_(&channel), range_(KeyRange::prefix(name + "/")) {}

Holders::~Holders() = default;

// The oldest claim, once there is one.
Task<Result<wire::RangeResponse>> Holders::first() {
  for (;;) {
    Kv kv(*channel_);
    GetOptions options{
        .range = range_, .limit = 1, .order = Order::kAscending, .sort_by = SortBy::kCreate};
    auto oldest = co_await kv.get(std::move(options), one_call(Deadline::max()));
    if (!oldest || !oldest->kvs().empty()) co_return oldest;
    WatchOptions any{
        .range = range_, .start_revision = oldest->header().revision() + 1, .no_delete = true};
    Watch watch(*channel_, std::move(any));
    for (bool claimed = false; !claimed;) {
      const auto response = co_await watch.next();
      if (!response && response.error().code != ErrorCode::kOutOfRange) co_return response.error();
      claimed = !response || !response->events().empty();
    }
  }
}

Task<Result<wire::RangeResponse>> Holders::next() {
  while (watch_) {
    auto response = co_await watch_->next();
    if (!response && response.error().code != ErrorCode::kOutOfRange)
      co_return std::move(response).error();
    const auto* last =
        response && !response->events().empty() ? &*response->events().rbegin() : nullptr;
    if (response && last == nullptr) continue;
    if (last == nullptr || last->type() == wire::Event::DELETE) {
      watch_.reset();
      break;
    }
    wire::RangeResponse holder;
    *holder.mutable_header() = response->header();
    *holder.add_kvs() = last->kv();
    co_return std::move(holder);
  }
  auto holder = co_await first();
  if (!holder) co_return holder;
  WatchOptions options{.range = KeyRange::one(holder->kvs(0).key()),
                       .start_revision = holder->header().revision() + 1};
  watch_ = std::make_unique<Watch>(*channel_, std::move(options));
  co_return std::move(holder);
}

}  // namespace etcdmon::etcd
