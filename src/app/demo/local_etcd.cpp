#include "app/demo/local_etcd.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <unistd.h>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/demo/reserved_port.hpp"
#include "app/demo/scratch_dir.hpp"
#include "async/subprocess.hpp"
#include "async/timeout.hpp"
#include "async/when_all.hpp"

namespace etcdmon::app::demo {

namespace {

using namespace std::chrono_literals;
using Datagram = asio::local::datagram_protocol;
using NotifySocket = asio::basic_datagram_socket<Datagram, Executor>;

constexpr std::string_view kAddressInUse = "address already in use";

std::string url(bool tls, const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", ipv6 ? "[" : "", host,
                     ipv6 ? "]" : "", port);
}

// The port that was asked for, else a free one, which is then held.
Result<std::uint16_t> choose_port(const std::string& host, std::uint16_t wanted,
                                  ReservedPort& held) {
  if (wanted != 0) return wanted;
  ETCDMON_TRY(held, ReservedPort::take(host));
  return held.number();
}

std::string last_line(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = std::move(line);
  }
  return last;
}

// etcd says READY=1 to the service manager's socket once it has joined and serves clients.
Task<> notified(NotifySocket& socket) {
  std::array<char, 256> message;
  for (;;) {
    const auto size = co_await socket.async_receive(asio::buffer(message), use_task);
    if (std::string_view(message.data(), size).find("READY=1") != std::string_view::npos) co_return;
  }
}

// How the process ended, or nullopt when it was ready first.
Task<std::optional<async::ExitStatus>> ready_or_ended(NotifySocket& socket,
                                                      async::Subprocess& process) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  auto race = notified(socket) || process.wait();
  const auto first = co_await std::move(race);
  if (first.index() == 0) co_return std::nullopt;
  co_return std::get<1>(first);
}

}  // namespace

struct LocalEtcd::Slot {
  Member member;
  Place place;
  EtcdBinary binary;
  std::string cluster;   // --initial-cluster, as it was when the member was made
  bool joins = false;    // an existing cluster
  bool stopped = false;  // by SIGSTOP: it would let etcdctl wait
  bool learner = false;  // etcd 3.4 lets it answer next to nothing
  ReservedPort client_port{};
  ReservedPort peer_port{};
  ReservedPort metrics_port{};
  std::optional<NotifySocket> notify{};
  std::optional<async::Subprocess> process{};
};

struct LocalEtcd::State {
  const Slot& slot(std::size_t i) const { return *slots.at(i); }
  Slot& slot(std::size_t i) { return *slots.at(i); }
  const std::optional<Tls>& tls(const Slot& of) const {
    return of.place.tls ? of.place.tls : options.tls;
  }
  void tell(std::string_view what) const {
    if (options.progress) options.progress(what);
  }

  State(Executor loop, Options chosen, Etcdctl::Options ctl_options)
      : executor(loop), options(std::move(chosen)), ctl(std::move(ctl_options)) {}

  Executor executor;
  Options options;
  Etcdctl ctl;
  std::optional<ScratchDir> directory{};
  std::vector<std::unique_ptr<Slot>> slots{};
};

LocalEtcd::LocalEtcd(Executor executor, Options options) {
  Etcdctl::Options ctl{.program = options.binary.etcdctl, .command = options.ctl_command};
  if (const auto& tls = options.tls) {
    ctl.ca = tls->ca;
    ctl.cert = tls->client_cert;
    ctl.key = tls->client_key;
  }
  state_ = std::make_unique<State>(executor, std::move(options), std::move(ctl));
}

LocalEtcd::~LocalEtcd() {
  // All at once first: destroying a process waits for its end.
  for (auto& slot : state_->slots) {
    if (slot->process) (void)slot->process->signal(SIGKILL);
  }
}

Result<void> LocalEtcd::add_slot(std::string name) {
  const auto& options = state_->options;
  const auto number = state_->slots.size();
  auto slot = std::make_unique<Slot>();
  slot->binary = options.binary;
  if (options.place) slot->place = options.place(number);
  const auto& place = slot->place;
  ETCDMON_TRY(const auto client_port,
              choose_port(place.host, place.client_port, slot->client_port));
  ETCDMON_TRY(const auto peer_port, choose_port(place.host, place.peer_port, slot->peer_port));
  const auto& tls = state_->tls(*slot);
  auto& member = slot->member;
  member.name = name.empty() ? fmt::format("m{}", number + 1) : std::move(name);
  member.client_url = url(tls.has_value(), place.host, client_port);
  member.peer_url = url(tls && tls->peers, place.host, peer_port);
  if (options.metrics_listener) {
    ETCDMON_TRY(const auto port, choose_port(place.host, place.metrics_port, slot->metrics_port));
    member.metrics_url = url(false, place.host, port);
  }
  member.advertised_client_url =
      options.advertise_client ? options.advertise_client(member) : member.client_url;
  member.advertised_peer_url =
      options.advertise_peer ? options.advertise_peer(member) : member.peer_url;
  // By number too, since a member may be replaced under its name.
  const auto base = fmt::format("{}/{}-{}", directory(), number + 1, member.name);
  member.data_dir = base + ".data";
  member.log_file = base + ".log";
  state_->slots.push_back(std::move(slot));
  return {};
}

std::string LocalEtcd::initial_cluster() const {
  std::vector<std::string> parts;
  for (const auto& slot : state_->slots) {
    const auto& member = slot->member;
    if (!member.removed) parts.push_back(member.name + "=" + member.advertised_peer_url);
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

std::vector<std::string> LocalEtcd::arguments(const Slot& slot) const {
  const auto& options = state_->options;
  const auto& member = slot.member;
  std::map<std::string, std::string> flags{
      {"name", member.name},
      {"data-dir", member.data_dir},
      {"listen-client-urls", member.client_url},
      {"advertise-client-urls", member.advertised_client_url},
      {"listen-peer-urls", member.peer_url},
      {"initial-advertise-peer-urls", member.advertised_peer_url},
      {"initial-cluster", slot.cluster},
      {"initial-cluster-state", slot.joins ? "existing" : "new"},
      // Another one for each cluster, so that clusters can never mix up.
      {"initial-cluster-token", state_->directory->path().filename().string()},
      {"heartbeat-interval", std::to_string(options.heartbeat.count())},
      {"election-timeout", std::to_string(options.election.count())},
      {"logger", "zap"}};
  if (!member.metrics_url.empty()) flags["listen-metrics-urls"] = member.metrics_url;
  if (options.quota_bytes > 0) flags["quota-backend-bytes"] = std::to_string(options.quota_bytes);
  if (!options.fsync && slot.binary.at_least(3, 5)) flags["unsafe-no-fsync"] = "true";
  if (const auto& tls = state_->tls(slot)) {
    flags["cert-file"] = tls->cert;
    flags["key-file"] = tls->key;
    if (tls->client_auth) {
      flags["trusted-ca-file"] = tls->ca;
      flags["client-cert-auth"] = "true";
    }
    if (tls->peers) {
      flags["peer-cert-file"] = tls->cert;
      flags["peer-key-file"] = tls->key;
      flags["peer-trusted-ca-file"] = tls->ca;
      flags["peer-client-cert-auth"] = "true";
    }
  }
  for (const auto& [name, value] : options.flags) flags[name] = value;
  for (const auto& [name, value] : slot.place.flags) flags[name] = value;

  std::vector<std::string> argv = slot.place.command;
  argv.push_back(slot.binary.etcd);
  for (const auto& [name, value] : flags) argv.push_back(fmt::format("--{}={}", name, value));
  return argv;
}

Task<Result<void>> LocalEtcd::start(Deadline deadline) {
  // A reserved port can still be taken by a program that asks for it by number: begin anew then.
  for (int attempt = 1;; ++attempt) {
    auto started = co_await start_once(deadline);
    if (started || attempt == 3) co_return started;
    if (started.error().message.find(kAddressInUse) == std::string::npos) co_return started;
    co_await stop_all(0s);
    state_->slots.clear();
  }
}

Task<Result<void>> LocalEtcd::start_once(Deadline deadline) {
  const auto& options = state_->options;
  auto directory = ScratchDir::make(
      options.parent_directory, options.keep ? ScratchDir::Fate::kKeep : ScratchDir::Fate::kRemove);
  if (!directory) co_return directory.error();
  state_->directory = *std::move(directory);
  for (std::size_t i = 0; i < options.members; ++i) {
    const auto added = add_slot("");
    if (!added) co_return added.error();
  }
  const auto cluster = initial_cluster();
  for (std::size_t i = 0; i < size(); ++i) {
    state_->slot(i).cluster = cluster;
    const auto launched = launch(i);
    if (!launched) co_return launched.error();
  }
  state_->tell(fmt::format("started {} members of etcd {} in {}", size(), options.binary.version,
                           this->directory()));
  std::vector<Task<Result<void>>> waits;
  for (std::size_t i = 0; i < size(); ++i) waits.push_back(ready(i, deadline));
  const auto results = co_await async::when_all(std::move(waits));
  for (const auto& result : results) {
    if (!result) co_return result.error();
  }
  co_return Result<void>{};
}

Task<> LocalEtcd::stop_all(std::chrono::nanoseconds grace) {
  std::vector<Task<int>> stops;
  for (std::size_t i = 0; i < size(); ++i) stops.push_back(terminated(i, grace));
  co_await async::when_all(std::move(stops));
}

std::size_t LocalEtcd::size() const {
  return state_->slots.size();
}
const LocalEtcd::Member& LocalEtcd::member(std::size_t i) const {
  return state_->slot(i).member;
}
std::string LocalEtcd::directory() const {
  return state_->directory->path().string();
}

std::vector<std::string> LocalEtcd::endpoints() const {
  std::vector<std::string> result;
  for (const auto& slot : state_->slots) {
    if (!slot->member.removed) result.push_back(slot->member.client_url);
  }
  return result;
}

std::vector<std::string> LocalEtcd::answering() {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto& slot = state_->slot(i);
    if (!slot.member.removed && !slot.stopped && !slot.learner && running(i))
      result.push_back(slot.member.client_url);
  }
  return result.empty() ? endpoints() : result;
}

bool LocalEtcd::running(std::size_t i) {
  return pid(i) != 0;
}

pid_t LocalEtcd::pid(std::size_t i) {
  auto& process = state_->slot(i).process;
  return process && !process->poll() ? process->pid() : 0;
}

Task<> LocalEtcd::kill(std::size_t i) {
  auto& process = state_->slot(i).process;
  if (!process) co_return;
  (void)process->signal(SIGKILL);
  co_await process->wait();
}

Task<> LocalEtcd::terminate(std::size_t i, std::chrono::nanoseconds grace) {
  auto& process = state_->slot(i).process;
  if (!process) co_return;
  (void)process->signal(SIGCONT);
  co_await process->stop(grace);
}

Task<int> LocalEtcd::terminated(std::size_t i, std::chrono::nanoseconds grace) {
  co_await terminate(i, grace);
  co_return 0;
}

Result<void> LocalEtcd::stop(std::size_t i) {
  return send(i, SIGSTOP);
}
Result<void> LocalEtcd::cont(std::size_t i) {
  return send(i, SIGCONT);
}

Result<void> LocalEtcd::send(std::size_t i, int number) {
  auto& slot = state_->slot(i);
  slot.stopped = number == SIGSTOP;
  if (slot.process) return slot.process->signal(number);
  return Error{ErrorCode::kNotFound, slot.member.name + " does not run"};
}

Result<void> LocalEtcd::launch(std::size_t i) {
  auto& slot = state_->slot(i);
  if (running(i)) {
    return Error{ErrorCode::kFailedPrecondition, slot.member.name + " runs already"};
  }
  slot.process.reset();
  slot.stopped = false;
  const auto path = fmt::format("{}/{}.notify", directory(), i + 1);
  ::unlink(path.c_str());
  slot.notify.emplace(state_->executor, Datagram::endpoint(path));

  async::Subprocess::Options options;
  options.argv = arguments(slot);
  // What was meant for another etcd, and proxies for the way to the members.
  options.unset = {"ETCD_*", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"};
  options.environment = {{"NOTIFY_SOCKET", path}};
  options.out = async::Stdio::file(slot.member.log_file);
  options.err = options.out;
  ETCDMON_TRY(slot.process, async::Subprocess::start(state_->executor, std::move(options)));
  return {};
}

Task<Result<void>> LocalEtcd::ready(std::size_t i, Deadline deadline) {
  auto& slot = state_->slot(i);
  const auto begin = std::chrono::steady_clock::now();
  if (!slot.process || !slot.notify) {
    co_return Error{ErrorCode::kNotFound, slot.member.name + " was not launched"};
  }
  auto outcome =
      co_await async::with_deadline(ready_or_ended(*slot.notify, *slot.process), deadline);
  if (!outcome) {
    co_return Error{ErrorCode::kDeadlineExceeded,
                    slot.member.name + " has not joined its cluster in time", Cause::kTimeout};
  }
  if (const auto& ended = *outcome) {
    co_return Error{ErrorCode::kUnavailable,
                    fmt::format("{} ended while it started, {}: {}", slot.member.name,
                                to_string(*ended), last_line(slot.member.log_file))};
  }
  slot.notify.reset();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  state_->tell(fmt::format("{} is ready at {} ({:.1f} s)", slot.member.name, slot.member.client_url,
                           took.count()));
  co_return Result<void>{};
}

Task<Result<void>> LocalEtcd::restart(std::size_t i, Deadline deadline) {
  co_await terminate(i, 5s);
  const auto launched = launch(i);
  if (!launched) co_return launched.error();
  co_return co_await ready(i, deadline);
}

void LocalEtcd::use_binary(std::size_t i, EtcdBinary binary) {
  state_->slot(i).binary = std::move(binary);
}

void LocalEtcd::set_flag(std::size_t i, std::string name, std::string value) {
  state_->slot(i).place.flags[std::move(name)] = std::move(value);
}

Task<Result<std::size_t>> LocalEtcd::add_member(Role role, std::string name, Deadline deadline) {
  // Of the cluster as it is: the newcomer has no answer yet.
  const auto members = answering();
  const auto added = add_slot(std::move(name));
  if (!added) co_return added.error();
  const std::size_t i = size() - 1;
  auto& slot = state_->slot(i);
  slot.joins = true;
  std::vector<std::string> args{"member", "add", slot.member.name,
                                "--peer-urls=" + slot.member.advertised_peer_url};
  if (role == Role::kLearner) args.emplace_back("--learner");
  const auto told =
      co_await state_->ctl.retry(members, std::move(args), "unhealthy cluster", deadline);
  if (!told) {
    slot.member.removed = true;
    co_return told.error();
  }
  slot.cluster = initial_cluster();
  slot.learner = role == Role::kLearner;
  const auto launched = launch(i);
  if (!launched) co_return launched.error();
  const auto joined = co_await ready(i, deadline);
  if (!joined) co_return joined.error();
  co_return i;
}

Task<Result<void>> LocalEtcd::promote(std::size_t i, Deadline deadline) {
  const auto id = co_await member_id(i, deadline);
  if (!id) co_return id.error();
  std::vector<std::string> args{"member", "promote", to_hex(*id)};
  auto promoted =
      co_await state_->ctl.retry(answering(), std::move(args), "in sync with leader", deadline);
  if (promoted) state_->slot(i).learner = false;
  co_return promoted;
}

Task<Result<void>> LocalEtcd::remove_member(std::size_t i, Deadline deadline) {
  const auto id = co_await member_id(i, deadline);
  if (!id) co_return id.error();
  auto& slot = state_->slot(i);
  slot.member.removed = true;
  std::vector<std::string> args{"member", "remove", to_hex(*id)};
  const auto told =
      co_await state_->ctl.retry(answering(), std::move(args), "unhealthy cluster", deadline);
  if (!told) {
    slot.member.removed = false;
    co_return told.error();
  }
  co_await terminate(i, 5s);
  co_return Result<void>{};
}

Task<Result<std::vector<ListedMember>>> LocalEtcd::member_list(Deadline deadline) {
  co_return co_await state_->ctl.member_list(answering(), deadline);
}

Task<Result<MemberId>> LocalEtcd::member_id(std::size_t i, Deadline deadline) {
  const auto list = co_await member_list(deadline);
  if (!list) co_return list.error();
  const auto& member = state_->slot(i).member;
  for (const auto& row : *list) {
    // A member that has not started yet has no name.
    if (row.peer_url == member.advertised_peer_url) co_return row.id;
  }
  co_return Error{ErrorCode::kNotFound, member.name + " is not in the member list"};
}

Task<Result<std::size_t>> LocalEtcd::leader(Deadline deadline) {
  for (std::size_t i = 0; i < size(); ++i) {
    if (member(i).removed || state_->slot(i).stopped || !running(i)) continue;
    const auto leads = co_await state_->ctl.leads(member(i).client_url, deadline);
    if (leads && *leads) co_return i;
  }
  co_return Error{ErrorCode::kUnavailable, "no member says that it leads"};
}

Task<Result<void>> LocalEtcd::enable_auth(Secret root_password, Deadline deadline) {
  const std::vector<std::vector<std::string>> steps{{"user", "add", "root", "--interactive=false"},
                                                    {"user", "grant-role", "root", "root"},
                                                    {"auth", "enable"}};
  for (const auto& step : steps) {
    std::string input = step[1] == "add" ? root_password.reveal() + "\n" : std::string();
    const auto said = co_await state_->ctl.run(answering(), step, std::move(input), deadline);
    if (!said) co_return said.error();
  }
  state_->ctl.log_in("root", std::move(root_password));
  co_return Result<void>{};
}

Task<Result<std::string>> LocalEtcd::etcdctl(std::vector<std::string> args, std::string input,
                                             Deadline deadline) {
  return state_->ctl.run(answering(), std::move(args), std::move(input), deadline);
}

Task<Result<std::string>> LocalEtcd::etcdctl_at(std::size_t i, std::vector<std::string> args,
                                                std::string input, Deadline deadline) {
  std::vector<std::string> endpoint{member(i).client_url};
  return state_->ctl.run(std::move(endpoint), std::move(args), std::move(input), deadline);
}

}  // namespace etcdmon::app::demo
