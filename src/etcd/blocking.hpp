// etcd/blocking.hpp: the same calls for a program without a loop.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.hpp"
#include "etcd/channel.hpp"
#include "net/resolver.hpp"

namespace etcdmon::etcd {

/// A channel on a loop of its own, which runs only while something is asked:
///
///   Blocking etcd(std::move(options));
///   auto reply = etcd(Kv(etcd.channel()).get({.range = KeyRange::one("key")}, deadline));
///
/// What lives between two questions (a Watch, a KeepAlive) stands still meanwhile.
///
/// Threads: one.
class Blocking {
 public:
  explicit Blocking(ChannelOptions options)
      : resolver_(loop_.get_executor()),
        channel_(loop_.get_executor(), resolver_, std::move(options), Logger{}) {}
  ~Blocking() { (*this)(channel_.close()); }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  Channel& channel() { return channel_; }
  Executor executor() { return loop_.get_executor(); }

  /// The value of a task of this loop. Its exception is thrown here.
  template <class T>
  T operator()(Task<T> task) {
    std::exception_ptr failure;
    std::optional<T> value;
    auto done = [&](std::exception_ptr exception, T result) {
      failure = std::move(exception);
      value.emplace(std::move(result));
      loop_.stop();
    };
    run(std::move(task), std::move(done));
    if (failure) std::rethrow_exception(failure);
    return *std::move(value);
  }
  void operator()(Task<> task) {
    std::exception_ptr failure;
    auto done = [&](std::exception_ptr exception) {
      failure = std::move(exception);
      loop_.stop();
    };
    run(std::move(task), std::move(done));
    if (failure) std::rethrow_exception(failure);
  }

 private:
  template <class T, class Done>
  void run(Task<T> task, Done done) {
    loop_.restart();
    asio::co_spawn(loop_, std::move(task), std::move(done));
    loop_.run();
  }

  Loop loop_{1};
  net::Resolver resolver_;
  Channel channel_;
};

}  // namespace etcdmon::etcd
