// etcd/watch.hpp: changes of keys as they come, without loss or repeat across reconnects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.hpp"
#include "base/result.hpp"
#include "etcd/kv.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::wire {
class WatchResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

struct WatchOptions {
  KeyRange range{};
  std::int64_t start_revision = 0;  ///< 0: from now on
  bool previous = false;            ///< events say what was there before
  bool progress_notify = false;     ///< an empty answer every ten minutes or so while all is quiet
  bool fragment = false;            ///< large revisions may come in several answers
  bool no_put = false;
  bool no_delete = false;
};

/// The stream may break and the member die: the watch goes on at the next endpoint, at the very
/// event after the last one that was handed out.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
class Watch {
 public:
  Watch(Channel& channel, WatchOptions options);
  ~Watch();

  /// The next answer that has events, or none with progress_notify; the first one, without events,
  /// says that the server watches. Waits without end.
  /// Errors: kOutOfRange: the revision to go on from was compacted, see compact_revision();
  ///         what else the server said to end it. A cluster that cannot be reached is not an error.
  /// Cancel: the watch is over.
  Task<Result<wire::WatchResponse>> next();

  /// Told when the stream broke, before it is opened anew.
  void on_break(std::function<void(const Error&)> told) { told_ = std::move(told); }

  /// Of the next event to come, as far as known.
  std::int64_t next_revision() const { return next_revision_; }
  /// The oldest revision that could be watched, after kOutOfRange.
  std::int64_t compact_revision() const { return compact_revision_; }

 private:
  Task<Result<void>> open();
  /// False: nothing of it is news.
  bool take(wire::WatchResponse& response);
  void drop_seen(wire::WatchResponse& response);
  Error canceled(const wire::WatchResponse& response);

  Channel* channel_;
  WatchOptions options_;
  std::function<void(const Error&)> told_;
  std::unique_ptr<rpc::MessageStream> stream_;
  std::int64_t next_revision_;
  std::int64_t compact_revision_ = 0;
  /// Events of next_revision_ that were handed out: it came in parts.
  std::int64_t seen_ = 0;
  std::int64_t skip_ = 0;  ///< of those, still to come again
  int failures_ = 0;
  bool announced_ = false;
};

}  // namespace etcdmon::etcd
