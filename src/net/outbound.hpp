// net/outbound.hpp: the one thread that carries what goes out by libcurl: HTTP requests and mail.
#pragma once

#include <memory>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::net {

namespace detail {
class CurlThread;
}

/// Shared by every HttpClient and Mailer. Values go to the thread and come back by post; a peer
/// that hangs holds up nobody else. The thread and libcurl come with the first thing sent.
///
/// Threads:  the loop only.
/// Lifetime: must outlive its clients. The destructor ends what is under way and joins the thread,
///           which never blocks on a peer.
class Outbound {
 public:
  explicit Outbound(Executor executor);
  ~Outbound();
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;

  /// Throws std::runtime_error when libcurl is not installed: whoever will send asks once at start.
  detail::CurlThread& thread();

 private:
  Executor executor_;
  std::unique_ptr<detail::CurlThread> thread_;
};

}  // namespace etcdmon::net
