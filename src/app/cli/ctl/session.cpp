#include "app/cli/ctl/session.hpp"

#include <utility>

#include <fmt/format.h>

#include "etcd/membership.hpp"
#include "net/tls.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

// After Ctrl-C nobody waits long; a lease ends by itself.
constexpr std::chrono::seconds kGoodbye{3};
constexpr std::size_t kNoLimit = 2'147'483'647U;

std::chrono::milliseconds to_milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

// Any of these says that the servers speak TLS where an endpoint has no scheme.
Result<std::shared_ptr<net::TlsContext>> tls_of(const FlagValues& flags) {
  net::TlsOptions options{.ca_file = flags.text("cacert"),
                          .cert_file = flags.text("cert"),
                          .key_file = flags.text("key"),
                          .insecure_skip_verify = flags.on("insecure-skip-tls-verify")};
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Error{ErrorCode::kInvalidArgument, "--cert and --key belong together", Cause::kLocal};
  }
  return net::TlsContext::client(std::move(options));
}

bool tls_is_standard(const FlagValues& flags) {
  return !flags.text("cacert").empty() || !flags.text("cert").empty() ||
         flags.on("insecure-skip-tls-verify") || !flags.on("insecure-transport");
}

}  // namespace

Session::Session(Executor executor, net::Resolver& resolver, const FlagValues& flags,
                 Terminal& terminal)
    : executor_(executor), resolver_(resolver), flags_(flags), terminal_(terminal) {}

Session::~Session() = default;

Result<net::Endpoint> Session::parse(std::string_view text) const {
  auto endpoint = net::parse_endpoint(text);
  if (endpoint && !endpoint->scheme_given) endpoint->tls = tls_is_standard(flags_);
  return endpoint;
}

Task<Result<void>> Session::open() {
  options_.dial_timeout = to_milliseconds(flags_.duration("dial-timeout"));
  const auto largest = flags_.number("max-recv-bytes");
  options_.max_message = largest > 0 ? static_cast<std::size_t>(largest) : kNoLimit;
  names_ = flags_.list("endpoints");
  if (!flags_.text("discovery-srv").empty()) {
    auto found = co_await discover();
    if (!found) co_return found;
  }
  auto channel = options_;
  bool any_tls = false;
  for (const auto& name : names_) {
    auto endpoint = parse(name);
    if (!endpoint) co_return std::move(endpoint).error();
    any_tls = any_tls || endpoint->tls;
    channel.endpoints.push_back(*std::move(endpoint));
  }
  if (channel.endpoints.empty()) {
    co_return Error{ErrorCode::kInvalidArgument, "no endpoint is given; see --endpoints",
                    Cause::kLocal};
  }
  if (any_tls) {
    auto tls = tls_of(flags_);
    if (!tls) co_return std::move(tls).error();
    options_.tls = *std::move(tls);
  }
  auto credentials = co_await read_credentials();
  if (!credentials) co_return credentials;
  channel.tls = options_.tls;
  channel.tokens = options_.tokens;
  cluster_ = std::make_unique<etcd::Channel>(executor_, resolver_, std::move(channel), Logger{});
  co_return Result<void>{};
}

Task<Result<void>> Session::read_credentials() {
  auto user = flags_.text("user");
  if (user.empty()) co_return Result<void>{};
  Secret password(flags_.text("password"));
  const auto colon = user.find(':');
  if (password.empty() && colon != std::string::npos) {
    password = Secret(user.substr(colon + 1));
    user.resize(colon);
  } else if (!flags_.is_set("password")) {
    auto typed = co_await terminal_.read_password("Password: ");
    if (!typed) co_return std::move(typed).error();
    password = *std::move(typed);
  }
  etcd::Credentials credentials{std::move(user), std::move(password)};
  options_.tokens = etcd::make_token_source(std::move(credentials));
  co_return Result<void>{};
}

Task<Result<void>> Session::discover() {
  const auto domain = flags_.text("discovery-srv");
  auto suffix = flags_.text("discovery-srv-name");
  if (!suffix.empty()) suffix.insert(0, "-");
  names_.clear();
  Error last;
  for (const bool tls : {true, false}) {
    if (!tls && !flags_.on("insecure-discovery")) continue;
    auto name = fmt::format("_etcd-client{}{}._tcp.{}", tls ? "-ssl" : "", suffix, domain);
    auto found = co_await resolver_.resolve_srv(std::move(name), deadline());
    if (!found) {
      last = std::move(found).error();
      continue;
    }
    for (const auto& target : *found) {
      const net::Endpoint endpoint{.tls = tls, .host = target.host, .port = target.port};
      names_.push_back(endpoint.url());
    }
  }
  if (names_.empty())
    co_return with_context(std::move(last), fmt::format("--discovery-srv {}", domain));
  co_return Result<void>{};
}

Task<> Session::close() {
  const auto soon = std::chrono::steady_clock::now() + kGoodbye;
  if (side_tasks_) co_await side_tasks_->close();
  if (lease_) co_await lease_->close(soon);
  if (keep_alive_) co_await keep_alive_->close();
  if (files_) co_await files_->close(soon);
  for (const auto& other : others_) co_await other->close();
  if (cluster_) co_await cluster_->close();
}

std::chrono::nanoseconds Session::command_timeout() const {
  return flags_.duration("command-timeout");
}

Deadline Session::deadline() const {
  const auto timeout = command_timeout();
  if (timeout <= std::chrono::nanoseconds::zero()) return Deadline::max();
  return std::chrono::steady_clock::now() + timeout;
}

Result<OneEndpoint> Session::only(std::string_view name) {
  auto endpoint = parse(name);
  if (!endpoint) return std::move(endpoint).error();
  if (endpoint->tls && !options_.tls) {
    ETCDMON_TRY(options_.tls, tls_of(flags_));
  }
  auto options = options_;
  options.endpoints.push_back(*std::move(endpoint));
  return OneEndpoint{std::string(name), &another(std::move(options))};
}

etcd::LeaseSession& Session::lease() {
  if (!lease_) lease_.emplace(executor_, *cluster_);
  return *lease_;
}

etcd::KeepAlive& Session::keep_alive() {
  if (!keep_alive_) keep_alive_.emplace(executor_, *cluster_);
  return *keep_alive_;
}

async::TaskScope& Session::side_tasks() {
  if (!side_tasks_) side_tasks_.emplace(executor_, Logger{});
  return *side_tasks_;
}

async::BlockingPool& Session::files() {
  if (!files_) files_.emplace(async::BlockingPool::Options{.name = "files", .threads = 1});
  return *files_;
}

etcd::Channel& Session::another(etcd::ChannelOptions options) {
  others_.push_back(
      std::make_unique<etcd::Channel>(executor_, resolver_, std::move(options), Logger{}));
  return *others_.back();
}

Task<Result<std::vector<OneEndpoint>>> Session::each(bool whole_cluster) {
  auto names = names_;
  if (whole_cluster) {
    etcd::Membership membership(*cluster_);
    auto members = co_await membership.list(etcd::Consistency::kLinearizable, deadline());
    if (!members) {
      co_return with_context(std::move(members).error(),
                             "failed to fetch endpoints from etcd cluster member list");
    }
    names.clear();
    for (const auto& member : members->members())
      names.insert(names.end(), member.client_urls().begin(), member.client_urls().end());
  }
  std::vector<OneEndpoint> out;
  for (const auto& name : names) {
    auto one = only(name);
    if (!one) co_return std::move(one).error();
    out.push_back(*std::move(one));
  }
  co_return std::move(out);
}

}  // namespace etcdmon::app::cli::ctl
