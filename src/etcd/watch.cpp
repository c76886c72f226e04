#include "etcd/watch.hpp"

#include <algorithm>
#include <utility>

#include "async/retry.hpp"
#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "wire/watch.pb.h"

namespace etcdmon::etcd {

namespace {

constexpr async::RetryPolicy kBackoff{.base = std::chrono::milliseconds(50),
                                      .cap = std::chrono::milliseconds(2'000),
                                      .floor = std::chrono::milliseconds(10)};

// The server may have lost its leader, its life or the way to us.
bool may_go_on(const Error& error) {
  return error.cause != Cause::kNone || is_passing(error) || is_not_authorised(error);
}

}  // namespace

Watch::Watch(Channel& channel, WatchOptions options)
    : channel_(&channel),
      options_(std::move(options)),
      next_revision_(std::max<std::int64_t>(0, options_.start_revision)) {}

Watch::~Watch() = default;

Task<Result<void>> Watch::open() {
  wire::WatchRequest request;
  auto& create = *request.mutable_create_request();
  create.set_key(options_.range.key);
  create.set_range_end(options_.range.end);
  create.set_start_revision(next_revision_);
  create.set_progress_notify(options_.progress_notify);
  create.set_prev_kv(options_.previous);
  create.set_fragment(options_.fragment);
  if (options_.no_put) create.add_filters(wire::WatchCreateRequest::NO_PUT);
  if (options_.no_delete) create.add_filters(wire::WatchCreateRequest::NO_DELETE);
  skip_ = seen_;
  Channel::StreamOptions options(path::kWatch, request.SerializeAsString(),
                                 rpc::Connection::HalfClose::kNo);
  options.require_leader = true;
  auto stream = co_await channel_->open(std::move(options));
  if (!stream) co_return std::move(stream).error();
  stream_ = *std::move(stream);
  co_return Result<void>{};
}

Error Watch::canceled(const wire::WatchResponse& response) {
  if (response.compact_revision() > 0) {
    compact_revision_ = response.compact_revision();
    return {ErrorCode::kOutOfRange, "etcdserver: mvcc: required revision has been compacted"};
  }
  const auto& reason = response.cancel_reason();
  if (reason.find("permission denied") != std::string::npos)
    return {ErrorCode::kPermissionDenied, "etcdserver: permission denied"};
  if (reason.find("invalid auth token") != std::string::npos)
    return {ErrorCode::kUnauthenticated, "etcdserver: invalid auth token"};
  if (reason.empty()) return {ErrorCode::kCancelled, "watch is canceled by the server"};
  return {ErrorCode::kCancelled, reason};
}

void Watch::drop_seen(wire::WatchResponse& response) {
  if (skip_ == 0) return;
  auto& events = *response.mutable_events();
  int drop = 0;
  while (drop < events.size() && skip_ > 0 &&
         events.Get(drop).kv().mod_revision() == next_revision_) {
    ++drop;
    --skip_;
  }
  // Past that revision there is nothing left to skip.
  if (drop < events.size()) skip_ = 0;
  events.DeleteSubrange(0, drop);
}

bool Watch::take(wire::WatchResponse& response) {
  if (response.created()) {
    if (next_revision_ == 0) next_revision_ = response.header().revision() + 1;
    return !std::exchange(announced_, true);
  }
  const bool empty = response.events().empty();
  drop_seen(response);
  if (empty) {
    // Told only when every event up to here was sent.
    if (seen_ == 0) next_revision_ = std::max(next_revision_, response.header().revision() + 1);
    return true;
  }
  if (response.events().empty()) return false;
  const auto last = response.events(response.events_size() - 1).kv().mod_revision();
  if (!response.fragment()) {
    next_revision_ = last + 1;
    seen_ = 0;
    return true;
  }
  const auto of_last = std::ranges::count_if(response.events(), [last](const wire::Event& event) {
    return event.kv().mod_revision() == last;
  });
  seen_ = of_last + (last == next_revision_ ? seen_ : 0);
  next_revision_ = last;
  return true;
}

Task<Result<wire::WatchResponse>> Watch::next() {
  async::Random random{std::random_device{}()};
  for (;;) {
    Error broken;
    if (!stream_) {
      auto opened = co_await open();
      if (!opened) broken = std::move(opened).error();
    }
    if (stream_) {
      auto message = co_await stream_->next();
      if (message && *message) {
        wire::WatchResponse response;
        if (!response.ParseFromString(**message)) {
          co_return Error{ErrorCode::kInternal, "Watch: the answer is no such message",
                          Cause::kProtocol};
        }
        if (!response.canceled()) {
          failures_ = 0;
          if (take(response)) co_return std::move(response);
          continue;
        }
        broken = canceled(response);
      } else if (message) {
        broken = Error{ErrorCode::kUnavailable, "the server has ended the watch", Cause::kReset};
      } else {
        broken = std::move(message).error();
      }
    }
    stream_.reset();
    if (broken.code == ErrorCode::kUnauthenticated && failures_ > 2) co_return broken;
    if (!may_go_on(broken) || broken.code == ErrorCode::kPermissionDenied) co_return broken;
    if (is_not_authorised(broken)) {
      channel_->forget_token();
    } else {
      channel_->move_on();
    }
    ++failures_;
    if (told_) told_(broken);
    if (failures_ > 1) co_await async::sleep_for(*kBackoff.next(failures_ - 1, random));
  }
}

}  // namespace etcdmon::etcd
