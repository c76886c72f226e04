#include "etcd/lease.hpp"

#include <algorithm>
#include <utility>

#include "async/retry.hpp"
#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

constexpr async::RetryPolicy kBackoff{.base = std::chrono::milliseconds(50),
                                      .cap = std::chrono::milliseconds(1'000),
                                      .floor = std::chrono::milliseconds(10)};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

wire::LeaseIdRequest to_request(LeaseId id) {
  wire::LeaseIdRequest request;
  request.set_id(id);
  return request;
}

Result<wire::LeaseKeepAliveResponse> parse_answer(const std::string& message) {
  wire::LeaseKeepAliveResponse response;
  if (response.ParseFromString(message)) return response;
  return Error{ErrorCode::kInternal, "LeaseKeepAlive: the answer is no such message",
               Cause::kProtocol};
}

}  // namespace

Task<Result<wire::LeaseGrantResponse>> Leases::grant(GrantOptions options, Deadline deadline) {
  wire::LeaseGrantRequest request;
  request.set_ttl(options.ttl.count());
  request.set_id(options.id);
  return ask<wire::LeaseGrantResponse>(*channel_, path::kLeaseGrant, Repeat::kUnsafe,
                                       std::move(request), deadline);
}

Task<Result<wire::HeaderResponse>> Leases::revoke(LeaseId id, Deadline deadline) {
  return ask<wire::HeaderResponse>(*channel_, path::kLeaseRevoke, Repeat::kUnsafe, to_request(id),
                                   deadline);
}

Task<Result<wire::LeaseTimeToLiveResponse>> Leases::time_to_live(LeaseId id, bool keys,
                                                                 Deadline deadline) {
  wire::LeaseTimeToLiveRequest request;
  request.set_id(id);
  request.set_keys(keys);
  return ask<wire::LeaseTimeToLiveResponse>(*channel_, path::kLeaseTimeToLive, Repeat::kSafe,
                                            std::move(request), deadline);
}

Task<Result<wire::LeaseLeasesResponse>> Leases::list(Deadline deadline) {
  return ask<wire::LeaseLeasesResponse>(*channel_, path::kLeaseLeases, Repeat::kSafe,
                                        wire::EmptyRequest{}, deadline);
}

Task<Result<wire::LeaseKeepAliveResponse>> Leases::keep_alive_once(LeaseId id, Deadline deadline) {
  Error last;
  // Renewing twice does no harm.
  for (std::size_t left = channel_->size(); left > 0; --left) {
    Channel::StreamOptions options(path::kLeaseKeepAlive, to_request(id).SerializeAsString(),
                                   rpc::Connection::HalfClose::kNo);
    options.deadline = deadline;
    auto stream = co_await channel_->open(std::move(options));
    if (!stream) co_return std::move(stream).error();
    auto message = co_await (*stream)->next();
    if (message && *message) co_return parse_answer(**message);
    last = message ? Error{ErrorCode::kUnavailable, "the server has ended the stream"}
                   : std::move(message).error();
    if (last.cause == Cause::kNone && !is_passing(last)) break;
    channel_->move_on();
  }
  co_return last;
}

KeepAlive::KeepAlive(Executor executor, Channel& channel)
    : channel_(&channel), scope_(executor, Logger{}) {}

KeepAlive::~KeepAlive() = default;

Task<> KeepAlive::close() {
  return scope_.close();
}

void KeepAlive::keep(LeaseId id, std::chrono::seconds ttl) {
  leases_[id] = Kept{.ttl = ttl, .due = now(), .expires = now() + ttl};
  something_.set();
  if (!std::exchange(running_, true)) scope_.spawn("lease keep alive", run());
}

void KeepAlive::drop(LeaseId id) {
  leases_.erase(id);
}

SteadyTime KeepAlive::next_due() const {
  auto due = SteadyTime::max();
  for (const auto& [id, lease] : leases_) due = std::min({due, lease.due, lease.expires});
  return due;
}

void KeepAlive::expire(SteadyTime at) {
  std::erase_if(leases_, [this, at](const auto& entry) {
    if (entry.second.expires > at) return false;
    wire::LeaseKeepAliveResponse gone;
    gone.set_id(entry.first);
    answers_.push_back(gone.SerializeAsString());
    answer_.set();
    return true;
  });
}

void KeepAlive::answered(const std::string& message) {
  const auto response = parse_answer(message);
  if (!response) return;
  const auto lease = leases_.find(response->id());
  if (lease == leases_.end()) return;
  if (response->ttl() <= 0) {
    leases_.erase(lease);
  } else {
    const auto ttl = std::chrono::seconds(response->ttl());
    lease->second =
        Kept{.ttl = ttl, .due = now() + std::chrono::milliseconds(ttl) / 3, .expires = now() + ttl};
  }
  answers_.push_back(message);
  answer_.set();
  something_.set();
}

Task<Result<wire::LeaseKeepAliveResponse>> KeepAlive::next() {
  while (answers_.empty()) {
    if (failed_) co_return *failed_;
    answer_.reset();
    co_await answer_.wait();
  }
  const auto message = std::move(answers_.front());
  answers_.pop_front();
  co_return parse_answer(message);
}

Task<> KeepAlive::listen(std::shared_ptr<rpc::MessageStream> stream,
                         std::shared_ptr<Error> broken) {
  for (;;) {
    auto message = co_await stream->next();
    if (message && *message) {
      answered(**message);
      continue;
    }
    *broken = message ? Error{ErrorCode::kUnavailable, "the server has ended the stream"}
                      : std::move(message).error();
    something_.set();
    co_return;
  }
}

// Sends what is due until the stream breaks; why it did.
Task<Error> KeepAlive::speak(std::shared_ptr<rpc::MessageStream> stream) {
  auto broken = std::make_shared<Error>();
  broken->code = ErrorCode::kOk;
  scope_.spawn("lease answers", listen(stream, broken));
  while (broken->code == ErrorCode::kOk) {
    something_.reset();
    expire(now());
    std::vector<LeaseId> due;
    for (auto& [id, lease] : leases_) {
      if (lease.due > now()) continue;
      // Asked again only if no answer came for a while.
      lease.due =
          now() + std::max<std::chrono::milliseconds>(std::chrono::milliseconds(500),
                                                      std::chrono::milliseconds(lease.ttl) / 3);
      due.push_back(id);
    }
    for (const auto id : due) {
      const auto sent = co_await stream->send(to_request(id).SerializeAsString());
      if (!sent) co_return sent.error();
    }
    if (broken->code == ErrorCode::kOk) co_await something_.wait_until(next_due());
  }
  co_return *broken;
}

Task<> KeepAlive::run() {
  async::Random random{std::random_device{}()};
  for (int failures = 0;;) {
    Error broken;
    const auto begun = now();
    Channel::StreamOptions options(path::kLeaseKeepAlive, {}, rpc::Connection::HalfClose::kNo);
    options.require_leader = true;
    auto opened = co_await channel_->open(std::move(options));
    if (opened) {
      const std::shared_ptr<rpc::MessageStream> stream = *std::move(opened);
      broken = co_await speak(stream);
    } else {
      broken = std::move(opened).error();
    }
    failures = now() - begun > std::chrono::seconds(1) ? 1 : failures + 1;
    if (is_not_authorised(broken) && failures < 3) {
      channel_->forget_token();
    } else if (broken.cause != Cause::kNone || is_passing(broken)) {
      channel_->move_on();
    } else {
      failed_ = std::make_unique<Error>(std::move(broken));
      answer_.set();
      co_return;
    }
    for (auto& [id, lease] : leases_) lease.due = now();
    expire(now());
    co_await async::sleep_for(*kBackoff.next(failures, random));
  }
}

}  // namespace etcdmon::etcd
