// rpc/detail/link.hpp: a session on a byte stream: one TCP or TLS connection from dialling to its
// end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task_scope.hpp"
#include "net/stream.hpp"
#include "rpc/session.hpp"

namespace etcdmon::rpc {

class Link;

/// Told when a link came up, drains or ended; before the calls that fail by it learn so.
class LinkOwner {
 public:
  virtual void link_changed(Link& link) = 0;

 protected:
  ~LinkOwner() = default;
};

/// Calls may be submitted before the stream is there; they go out when it is.
///
/// Work is done in turns: bytes are fed to the session, then calls that are ready are resumed with
/// nothing of the session on the stack, then everything they caused goes out in one send.
///
/// Threads:  the loop only.
/// Lifetime: shared by its owner, its reader and its streams. Ended before `scope` is closed.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Executor executor, async::TaskScope& scope, SessionOptions options, LinkOwner& owner);

  void submit(UnaryExchange& exchange);
  void submit(StreamExchange& exchange, std::optional<std::string> first,
              Session::HalfClose half_close);
  void cancel(Exchange& exchange);
  std::optional<std::string> take_message(StreamExchange& exchange);
  void send(StreamExchange& exchange, std::string message);
  void finish_sending(StreamExchange& exchange);

  void attach(std::unique_ptr<net::Stream> stream, Deadline settings_by);
  /// Reads until the link ends. After attach(); the caller keeps the link alive.
  Task<> read();
  /// Fails what is under way and closes the stream.
  void end(Error why);
  /// end() without telling the owner, who is about to go.
  void abandon(Error why);

  bool ended() const { return session_.state() == Session::State::kEnded; }
  Session::State state() const { return session_.state(); }
  const Error& error() const { return session_.error(); }
  const net::Stream* stream() const { return stream_.get(); }

 private:
  struct Turn;
  struct Alarm;
  enum class Input : std::uint8_t { kDrained, kMore };

  static Task<> drain_output(std::shared_ptr<Link> self);
  void schedule_turn();
  void turn();
  void tell_owner();
  Input pull();
  void write();
  bool write_now(std::string_view bytes);
  void arm();
  void on_alarm();

  Executor executor_;
  async::TaskScope& scope_;
  LinkOwner* owner_;
  Session session_;
  Session::State told_ = Session::State::kNew;
  std::unique_ptr<net::Stream> stream_;
  std::string
      backlog_;  ///< what the socket did not take; drain_output() owns it while it is not empty
  Timer timer_;
  SteadyTime armed_ = SteadyTime::max();
  bool scheduled_ = false;
  bool in_turn_ = false;
};

}  // namespace etcdmon::rpc
