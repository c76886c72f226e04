// rpc/exchange.hpp: one call as the session sees it: a record that the caller owns and may use
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rpc/framing.hpp"
#include "rpc/hook_list.hpp"
#include "rpc/metadata.hpp"
#include "rpc/status.hpp"

namespace etcdmon::rpc {

/// From Session::submit() on the record must stay where it is until it is done and taken by
/// next_ready(), or given up by Session::cancel().
///
/// Threads: the loop of its session only.
class Exchange : public Hook<struct PlaceTag>,
                 public Hook<struct ReadyTag>,
                 public Hook<struct DeadlineTag> {
 public:
  virtual ~Exchange() = default;

  std::string_view path;  ///< "/etcdserverpb.KV/Range"
  const Metadata* metadata = nullptr;
  Deadline deadline = Deadline::max();  ///< max: none

  /// Something changed: it is done, or a stream has a message or took one. Called by the session's
  /// owner with nothing of the session on the stack, so that anything may be called from here.
  virtual void ready() = 0;

  bool done() const { return done_; }
  /// Why it failed, once done; nullopt is OK.
  const std::optional<Error>& error() const { return error_; }
  /// True once the request's header has left; a stream may be reset by the peer from then on.
  bool submitted() const { return stream_id_ > 0; }

 protected:
  enum class Kind : std::uint8_t { kUnary, kStream };
  explicit Exchange(Kind kind) : kind_(kind) {}

 protected:
  bool sending_ = false;  ///< out_ is not yet handed over in full

 private:
  friend class Session;
  friend class Deadlines;
  friend struct SessionCallbacks;

  void begin(std::size_t max_message);

  const Kind kind_;
  bool done_ = false;
  bool out_final_ = false;  ///< nothing comes after out_
  std::int8_t fifo_ = -1;   ///< of Deadlines
  std::int32_t stream_id_ = 0;
  std::size_t heap_index_ = 0;  ///< of Deadlines
  std::size_t owed_ = 0;        ///< bytes received that flow control was not yet told to be read
  std::size_t out_offset_ = 0;
  Prefix out_prefix_{};
  std::string_view out_;
  ResponseHead head_;
  MessageReader reader_;
  std::optional<Error> error_;
};

/// One message there, one message back.
class UnaryExchange : public Exchange {
 public:
  UnaryExchange() : Exchange(Kind::kUnary) {}

  std::string_view request;  ///< without gRPC's prefix; must outlive the exchange
  /// With done() and no error. May be moved from, or read in place and kept for the next use.
  std::string answer;

 private:
  friend class Session;
  friend struct SessionCallbacks;
  bool answered_ = false;
};

/// Messages in both directions. Incoming ones wait in `inbox`, bounded by flow control:
/// take them by Session::take_message().
class StreamExchange : public Exchange {
 public:
  StreamExchange() : Exchange(Kind::kStream) {}

  bool has_message() const { return !inbox_.empty(); }
  /// True while the last message given to Session::send() waits for flow control.
  bool sending() const { return sending_; }

 private:
  friend class Session;
  friend struct SessionCallbacks;
  std::deque<std::string> inbox_;
  std::string outgoing_;
};

}  // namespace etcdmon::rpc
