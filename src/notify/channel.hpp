// notify/channel.hpp: a way to tell people: what each channel is, and what it is made with.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "model/notification.hpp"
#include "net/http_client.hpp"
#include "net/mailer.hpp"
#include "notify/outcome.hpp"

namespace etcdmon::notify {

/// Threads:  the loop only.
/// Lifetime: must outlive what it sends.
/// Cancel:   an attempt ends at once; whether it was delivered is then unknown.
class Channel {
 public:
  virtual ~Channel() = default;

  /// One attempt. It ends at `deadline` by itself; retrying is for the caller.
  virtual Task<Outcome> send(model::Notification notification, Deadline deadline) = 0;

  /// How many attempts may run at once.
  virtual std::size_t parallel() const { return 1; }
  /// The least time between the beginnings of two attempts, where a service counts messages.
  virtual std::chrono::milliseconds spacing() const { return std::chrono::milliseconds(0); }

  /// For receivers that forget: how often refresh() wants to be called; 0: never.
  virtual std::chrono::milliseconds refresh_every() const { return std::chrono::milliseconds(0); }
  /// All that fires now. One that fails is followed by the next.
  virtual Task<Outcome> refresh(std::vector<model::NotifiedAlert> firing, Deadline deadline);
};

/// What channels are made with.
struct Services {
  net::HttpClient& http;
  net::Mailer& mail;
  Executor executor;
  const Clock& clock;
  std::string external_url;  ///< where people reach this monitor; empty: nowhere
};

/// A channel that speaks HTTP: pure functions around requests. A notification may need several, as
/// where a service takes one alert at a time; the first that fails ends the attempt, and all are
/// sent again, which their own keys make harmless.
class HttpChannel final : public Channel {
 public:
  struct Service {
    std::function<std::vector<net::HttpRequest>(const model::Notification&, WallTime now)> requests;
    std::function<Outcome(const net::HttpReply&, WallTime now)> judge;
    /// Secrets inside bodies. Those of the URL, the headers and the login are known anyway.
    std::vector<Secret> secrets{};
    std::size_t parallel = 1;
    std::chrono::milliseconds spacing{0};
  };

  HttpChannel(const Services& services, Service service)
      : services_(services), service_(std::move(service)) {}

  Task<Outcome> send(model::Notification notification, Deadline deadline) override;
  std::size_t parallel() const override { return service_.parallel; }
  std::chrono::milliseconds spacing() const override { return service_.spacing; }

 private:
  Services services_;
  Service service_;
};

/// Takes out of `text` what came from the request and must not be told: parts of the URL's path and
/// query, words of headers, the password, and `secrets`. A receiver may send back what it was sent.
void hide_secrets(std::string& text, const net::HttpRequest& request,
                  const std::vector<Secret>& secrets = {});

/// judge_reply() with its defaults, as a Service's `judge`.
Outcome judge_plainly(const net::HttpReply& reply, WallTime now);

}  // namespace etcdmon::notify
