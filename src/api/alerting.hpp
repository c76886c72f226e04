// api/alerting.hpp: alerts over HTTP: their history, acknowledgements, silences, channels.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/routing/silence.hpp"
#include "api/router.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "notify/outcome.hpp"
#include "notify/worker.hpp"
#include "store/state_store.hpp"

namespace etcdmon::api {

/// What came of a message that tried out a channel.
struct ChannelTrial {
  std::string channel;
  std::string message_id;
  bool enabled = false;  ///< false: the monitor does not use this channel
  notify::Outcome outcome{};
  std::chrono::milliseconds took{0};
};

/// What operators may say and ask about alerts; the app implements it.
///
/// Threads: the loop only.
class AlertDesk {
 public:
  virtual ~AlertDesk() = default;

  virtual std::vector<alert::Silence> silences() const = 0;
  /// Errors: kInvalidArgument.
  virtual Result<alert::Silence> add_silence(alert::Silence silence) = 0;
  /// Errors: kNotFound.
  virtual Result<alert::Silence> expire_silence(std::string_view id) = 0;
  /// Errors: kNotFound: no such alert fires.
  virtual Result<void> acknowledge(alert::Acknowledgement acknowledgement) = 0;
  virtual std::vector<alert::Acknowledgement> acknowledgements() const = 0;
  /// Of an alert that fires. Empty: there is none.
  virtual std::string cluster_of(std::string_view alert_id) const = 0;
  virtual Task<Result<std::vector<model::AlertEvent>>> history(store::HistoryQuery query) = 0;
  virtual std::vector<notify::ChannelHealth> channels() const = 0;
  /// Sends a real message through it, and waits for what comes back.
  /// Errors: kNotFound; kInvalidArgument: not set up; kUnavailable: another one is under way.
  virtual Task<Result<ChannelTrial>> try_channel(std::string channel) = 0;
};

/// While authentication is off, whatever changes something is answered from loopback only; never to
/// other sites' pages in a browser. A silence that names its cluster (`cluster=prod`) belongs to
/// that one, any other one to all. Who acknowledges or silences is who proved to be him.
///
/// Lifetime: outlives the router that it was added to; so does `desk`.
class Alerting {
 public:
  Alerting(AlertDesk& desk, const Clock& clock) : desk_(desk), clock_(clock) {}

  void add_to(Router& router);

 private:
  Task<net::Response> history(const net::Request& request, const Caller& caller);
  net::Response acknowledge(const net::Request& request, const Caller& caller, std::string_view id);
  net::Response acknowledgements(const Caller& caller) const;
  net::Response silences(const Caller& caller) const;
  net::Response add_silence(const net::Request& request, const Caller& caller);
  net::Response expire_silence(const net::Request& request, const Caller& caller,
                               std::string_view id);
  net::Response channels() const;
  Task<net::Response> try_channel(const net::Request& request, const Caller& caller);

  AlertDesk& desk_;
  const Clock& clock_;
};

}  // namespace etcdmon::api
