#include "rpc/connection.hpp"

#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/event.hpp"
#include "async/task_scope.hpp"
#include "rpc/detail/calls.hpp"
#include "rpc/detail/link.hpp"

namespace etcdmon::rpc {

namespace {

// A connection that ends sooner than this after it came up counts as a failed attempt: a peer that
// accepts and closes must not be redialled in a tight loop.
constexpr std::chrono::seconds kStoodFirm{1};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

SessionOptions session_options(const ConnectionOptions& options) {
  SessionOptions session;
  session.authority = options.endpoint.authority();
  session.tls = options.endpoint.tls;
  session.user_agent = options.user_agent;
  session.max_message = options.max_message;
  session.keepalive = options.keepalive;
  return session;
}

}  // namespace

class Connection::Core final : public LinkOwner {
 public:
  using Listener = std::function<void(const LinkEvent&)>;

  Core(Executor executor, net::Resolver& resolver, ConnectionOptions options, Logger logger)
      : executor_(executor),
        resolver_(resolver),
        options_(std::move(options)),
        scope_(executor, std::move(logger)) {}

  void start(Listener listener);
  Task<> close();
  void reconnect();
  Task<Result<std::string>> unary(Call call);
  Task<Result<std::unique_ptr<MessageStream>>> open(Call call, HalfClose half_close);
  bool up() const { return link_ && link_->state() == Session::State::kUp; }

  const ConnectionOptions& options() const { return options_; }
  const std::vector<net::Certificate>& certificates() const { return certificates_; }

 private:
  struct Telling;

  void link_changed(Link& link) override;
  void link_is_over(Link& link);
  void plan_redial(bool stood_firm);
  /// The link that calls go to, dialling if need be.
  const std::shared_ptr<Link>& link_for_calls();
  void dial();
  Task<> run(std::shared_ptr<Link> link);
  Task<> keep_up();
  void tell(LinkEvent::What what, Error error = {});

  Executor executor_;
  net::Resolver& resolver_;
  ConnectionOptions options_;
  async::TaskScope scope_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Link> link_;                   ///< dialling or up
  std::vector<std::shared_ptr<Link>> draining_;  ///< told to go, with calls still under way
  std::vector<net::Certificate> certificates_;
  std::optional<SteadyTime> up_since_;
  async::Event redial_;  ///< there may be something to do for keep_up()
  SteadyTime redial_at_;
  int failures_ = 0;  ///< attempts in a row
  async::Random random_{std::random_device{}()};
  bool started_ = false;
  bool closed_ = false;
};

struct Connection::Core::Telling {
  std::weak_ptr<Listener> listener;
  LinkEvent event;
  void operator()() const {
    if (const auto told = listener.lock()) (*told)(event);
  }
};

void Connection::Core::start(Listener listener) {
  if (closed_) return;
  if (listener) listener_ = std::make_shared<Listener>(std::move(listener));
  if (up()) tell(LinkEvent::What::kUp);
  if (std::exchange(started_, true)) return;
  redial_at_ = now();
  scope_.spawn("rpc keep up", keep_up());
}

Task<> Connection::Core::close() {
  closed_ = true;
  listener_.reset();
  const Error closed{ErrorCode::kCancelled, "the connection was closed", Cause::kLocal};
  auto links = std::exchange(draining_, {});
  if (link_) links.push_back(std::exchange(link_, nullptr));
  for (const auto& link : links) link->abandon(closed);
  co_await scope_.close();
}

void Connection::Core::reconnect() {
  if (closed_) return;
  if (const auto link = link_) {
    link->end(
        Error{ErrorCode::kUnavailable, "the connection was dropped for a new one", Cause::kLocal});
  }
  failures_ = 0;
  if (!link_) dial();
}

const std::shared_ptr<Link>& Connection::Core::link_for_calls() {
  if (!link_) dial();
  return link_;
}

void Connection::Core::dial() {
  link_ = std::make_shared<Link>(executor_, scope_, session_options(options_), *this);
  up_since_.reset();
  tell(LinkEvent::What::kConnecting);
  scope_.spawn("rpc link", run(link_));
}

Task<> Connection::Core::run(std::shared_ptr<Link> link) {
  net::ConnectOptions options;
  options.endpoint = options_.endpoint;
  options.tls = options_.tls;
  if (options_.endpoint.tls) {
    options.alpn.emplace_back("h2");
    options.alpn_required = true;
  }
  const auto deadline = now() + options_.dial_timeout;
  auto stream = co_await net::Stream::connect(resolver_, std::move(options), deadline);
  if (link->ended()) co_return;
  if (!stream) {
    link->end(std::move(stream).error());
    co_return;
  }
  certificates_ = (*stream)->peer_certificates();
  link->attach(*std::move(stream), deadline);
  co_await link->read();
}

Task<> Connection::Core::keep_up() {
  for (;;) {
    redial_.reset();
    if (!link_ && now() >= redial_at_) dial();
    co_await redial_.wait_until(link_ ? SteadyTime::max() : redial_at_);
  }
}

void Connection::Core::link_changed(Link& link) {
  if (link.state() != Session::State::kUp) return link_is_over(link);
  up_since_ = now();
  tell(LinkEvent::What::kUp);
}

void Connection::Core::link_is_over(Link& link) {
  if (&link != link_.get()) {
    std::erase_if(draining_, [&](const auto& one) { return one.get() == &link; });
    return;
  }
  tell(up_since_ ? LinkEvent::What::kEnded : LinkEvent::What::kFailed, link.error());
  plan_redial(up_since_ && now() - *up_since_ >= kStoodFirm);
  if (link.state() == Session::State::kDraining) draining_.push_back(link_);
  link_.reset();
}

void Connection::Core::plan_redial(bool stood_firm) {
  failures_ = stood_firm ? 0 : failures_ + 1;
  redial_at_ = now();
  if (failures_ > 0)
    redial_at_ += options_.backoff.next(failures_, random_).value_or(options_.backoff.cap);
  redial_.set();
}

void Connection::Core::tell(LinkEvent::What what, Error error) {
  if (!listener_) return;
  asio::post(executor_, Telling{listener_, LinkEvent{what, std::move(error), now()}});
}

Task<Result<std::string>> Connection::Core::unary(Call call) {
  if (closed_) co_return Error{ErrorCode::kCancelled, "the connection was closed", Cause::kLocal};
  UnaryCall exchange(link_for_calls(), call);
  co_await exchange.wait();
  if (call.sent != nullptr) *call.sent = exchange.submitted();
  co_return exchange.take();
}

Task<Result<std::unique_ptr<MessageStream>>> Connection::Core::open(Call call,
                                                                    HalfClose half_close) {
  if (closed_) co_return Error{ErrorCode::kCancelled, "the connection was closed", Cause::kLocal};
  auto stream = std::make_unique<StreamCall>(link_for_calls(), std::move(call), half_close);
  auto opened = co_await stream->opened();
  if (!opened) co_return std::move(opened).error();
  co_return std::unique_ptr<MessageStream>(std::move(stream));
}

Connection::Connection(Executor executor, net::Resolver& resolver, ConnectionOptions options,
                       Logger logger)
    : core_(std::make_unique<Core>(executor, resolver, std::move(options), std::move(logger))) {}

Connection::~Connection() = default;

void Connection::start(std::function<void(const LinkEvent&)> on_event) {
  core_->start(std::move(on_event));
}
Task<> Connection::close() {
  return core_->close();
}
void Connection::reconnect() {
  core_->reconnect();
}
Task<Result<std::string>> Connection::unary(Call call) {
  return core_->unary(std::move(call));
}
Task<Result<std::unique_ptr<MessageStream>>> Connection::open(Call call, HalfClose half_close) {
  return core_->open(std::move(call), half_close);
}
bool Connection::up() const {
  return core_->up();
}
const std::vector<net::Certificate>& Connection::peer_certificates() const {
  return core_->certificates();
}
const ConnectionOptions& Connection::options() const {
  return core_->options();
}

}  // namespace etcdmon::rpc
