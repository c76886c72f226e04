#include "kit/etcd_cluster.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "kit/command.hpp"
#include "kit/run.hpp"

namespace etcdmon::kit {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMark = "kit-will-corrupt-this-";

template <class T>
T must_have(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

std::vector<std::string> candidates() {
  std::vector<std::string> paths{"/usr/bin/etcd"};
  if (const char* chosen = std::getenv("ETCDMON_ETCD_35")) paths.emplace_back(chosen);
  paths.emplace_back(ETCDMON_SOURCE_DIR "/.deps/etcd-3.5/usr/bin/etcd");
  paths.emplace_back("/opt/etcd-3.5/usr/bin/etcd");
  return paths;
}

std::vector<EtcdVersion> installed_versions() {
  std::vector<EtcdVersion> versions;
  for (const auto& path : candidates()) {
    auto found = run(app::demo::query_etcd(path, std::chrono::steady_clock::now() + 30s));
    if (!found) continue;
    const bool known = std::ranges::any_of(versions, [&found](const auto& other) {
      return other.major == found->major && other.minor == found->minor;
    });
    if (!known) versions.push_back(*std::move(found));
  }
  std::ranges::sort(versions, {},
                    [](const auto& version) { return std::pair(version.major, version.minor); });
  return versions;
}

// 3.4 cannot leave out fsync: in memory it costs nothing.
std::string fast_folder() {
  std::error_code ignored;
  const auto space = fs::space("/dev/shm", ignored);
  const bool usable =
      !ignored && space.available > (512U << 20U) && ::access("/dev/shm", W_OK) == 0;
  return usable ? "/dev/shm" : "";
}

LocalEtcd::Place placed(const EtcdCluster::Options& options, std::size_t i) {
  auto place = options.place ? options.place(i) : LocalEtcd::Place{};
  const auto slow = options.slow_fsync.find(i);
  if (slow == options.slow_fsync.end()) return place;
  // -D: the member stays our child, and strace goes with it.
  const std::vector<std::string> strace{
      "strace", "-D",
      "-f",     "-qq",
      "-o",     "/dev/null",
      "-e",     "trace=fdatasync",
      "-e",     fmt::format("inject=fdatasync:delay_exit={}", slow->second.count())};
  place.command.insert(place.command.end(), strace.begin(), strace.end());
  if (options.version.at_least(3, 5)) place.flags["unsafe-no-fsync"] = "false";
  return place;
}

LocalEtcd::Options local_options(const EtcdCluster::Options& options) {
  LocalEtcd::Options result;
  result.binary = options.version;
  result.members = options.members;
  result.parent_directory = fast_folder();
  result.keep = options.keep;
  result.flags = options.flags;
  // Else a member can only be added after 5 s of stable connections.
  result.flags.try_emplace("strict-reconfig-check", "false");
  result.tls = options.tls;
  result.heartbeat = options.heartbeat;
  result.election = options.election;
  result.quota_bytes = options.quota_bytes;
  result.metrics_listener = options.metrics_listener;
  result.fsync = false;
  result.place = [options](std::size_t i) { return placed(options, i); };
  result.advertise_client = options.advertise_client;
  result.advertise_peer = options.advertise_peer;
  result.ctl_command = options.ctl_command;
  return result;
}

}  // namespace

const std::vector<EtcdVersion>& etcd_versions() {
  static const std::vector<EtcdVersion> kVersions = installed_versions();
  return kVersions;
}

const EtcdVersion& newest_etcd() {
  if (etcd_versions().empty()) throw std::runtime_error("no etcd is installed");
  return etcd_versions().back();
}

EtcdCluster::EtcdCluster() : EtcdCluster(Options{}) {}

EtcdCluster::EtcdCluster(Options options)
    : loop_(std::make_unique<Loop>(1)), options_(std::move(options)) {
  etcd_ = std::make_unique<LocalEtcd>(loop_->get_executor(), local_options(options_));
  must_have(run(*loop_, etcd_->start(deadline())));
}

EtcdCluster::~EtcdCluster() = default;

Deadline EtcdCluster::deadline() const {
  return std::chrono::steady_clock::now() + options_.patience;
}

std::size_t EtcdCluster::size() const {
  return etcd_->size();
}
std::vector<std::string> EtcdCluster::endpoints() const {
  return etcd_->endpoints();
}
std::string EtcdCluster::endpoint(std::size_t i) const {
  return member(i).client_url;
}
const LocalEtcd::Member& EtcdCluster::member(std::size_t i) const {
  return etcd_->member(i);
}
bool EtcdCluster::running(std::size_t i) {
  return etcd_->running(i);
}
pid_t EtcdCluster::pid(std::size_t i) {
  return etcd_->pid(i);
}

std::uint16_t EtcdCluster::port(std::size_t i) const {
  const auto url = endpoint(i);
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

MemberId EtcdCluster::id(std::size_t i) {
  return must_have(run(*loop_, etcd_->member_id(i, deadline())));
}

std::string EtcdCluster::log(std::size_t i) const {
  std::ifstream in(member(i).log_file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void EtcdCluster::kill(std::size_t i) {
  run(*loop_, etcd_->kill(i));
}
void EtcdCluster::terminate(std::size_t i) {
  run(*loop_, etcd_->terminate(i, 10s));
}
void EtcdCluster::stop(std::size_t i) {
  must_have(etcd_->stop(i));
}
void EtcdCluster::cont(std::size_t i) {
  must_have(etcd_->cont(i));
}
void EtcdCluster::launch(std::size_t i) {
  must_have(etcd_->launch(i));
}
void EtcdCluster::await_ready(std::size_t i) {
  must_have(run(*loop_, etcd_->ready(i, deadline())));
}
void EtcdCluster::restart(std::size_t i) {
  must_have(run(*loop_, etcd_->restart(i, deadline())));
}

void EtcdCluster::restart_with(std::size_t i, const EtcdVersion& version) {
  etcd_->use_binary(i, version);
  restart(i);
}

void EtcdCluster::restart_all() {
  std::vector<std::size_t> begun;
  for (std::size_t i = 0; i < size(); ++i) {
    if (running(i) || member(i).removed) continue;
    launch(i);
    begun.push_back(i);
  }
  for (const auto i : begun) await_ready(i);
}

std::size_t EtcdCluster::add_member(LocalEtcd::Role role, std::string name) {
  return must_have(run(*loop_, etcd_->add_member(role, std::move(name), deadline())));
}

void EtcdCluster::promote(std::size_t i) {
  must_have(run(*loop_, etcd_->promote(i, deadline())));
}

void EtcdCluster::remove(std::size_t i) {
  must_have(run(*loop_, etcd_->remove_member(i, deadline())));
}

std::size_t EtcdCluster::replace(std::size_t i) {
  remove(i);
  return add_member(LocalEtcd::Role::kVoter, member(i).name);
}

std::size_t EtcdCluster::leader() {
  const auto end = deadline();
  for (;;) {
    const auto found = run(*loop_, etcd_->leader(end));
    if (found) return *found;
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error(found.error().message);
    std::this_thread::sleep_for(20ms);
  }
}

std::size_t EtcdCluster::follower() {
  const auto leads = leader();
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != leads && running(i) && !member(i).removed) return i;
  }
  throw std::runtime_error("the cluster has no follower");
}

void EtcdCluster::move_leader(std::size_t to) {
  const auto target = to_hex(id(to));
  etcdctl_at(leader(), {"move-leader", target});
}

void EtcdCluster::put(const std::string& key, const std::string& value) {
  etcdctl({"put", key}, value);
}

std::string EtcdCluster::get(const std::string& key) {
  auto value = etcdctl({"get", "--print-value-only", key});
  if (!value.empty()) value.pop_back();
  return value;
}

std::string EtcdCluster::etcdctl(std::vector<std::string> args, std::string input) {
  return must_have(run(*loop_, etcd_->etcdctl(std::move(args), std::move(input), deadline())));
}

std::string EtcdCluster::etcdctl_at(std::size_t i, std::vector<std::string> args,
                                    std::string input) {
  return must_have(
      run(*loop_, etcd_->etcdctl_at(i, std::move(args), std::move(input), deadline())));
}

int EtcdCluster::fill_quota() {
  if (options_.quota_bytes == 0) throw std::runtime_error("fill_quota() needs quota_bytes");
  const std::string value(1U << 20U, 'x');
  for (int n = 0;; ++n) {
    const auto said =
        run(*loop_, etcd_->etcdctl({"put", fmt::format("kit/fill/{}", n)}, value, deadline()));
    if (said) continue;
    if (said.error().message.find("database space exceeded") != std::string::npos) return n;
    throw std::runtime_error(said.error().message);
  }
}

void EtcdCluster::corrupt(std::size_t i) {
  const std::string value = fmt::format("{}{:016x}", kMark, std::random_device{}());
  put("kit/corrupt", value);
  terminate(i);
  const auto path = fs::path(member(i).data_dir) / "member/snap/db";
  std::ifstream in(path, std::ios::binary);
  std::string pages{std::istreambuf_iterator<char>(in), {}};
  in.close();
  int altered = 0;
  for (auto at = pages.find(value); at != std::string::npos; at = pages.find(value, at + 1)) {
    pages[at] = 'K';
    ++altered;
  }
  if (altered == 0) throw std::runtime_error("the value to corrupt is not in " + path.string());
  std::ofstream(path, std::ios::binary) << pages;
  restart(i);
}

void EtcdCluster::raise_alarm(std::size_t i, const std::string& alarm) {
  // etcdctl can only disarm: so through etcd's own JSON gateway.
  std::vector<std::string> curl = options_.ctl_command;
  for (const char* word : {"curl", "-sS", "--fail-with-body"}) curl.emplace_back(word);
  if (const auto& tls = options_.tls) {
    curl.insert(curl.end(), {"--cacert", tls->ca});
    if (tls->client_auth)
      curl.insert(curl.end(), {"--cert", tls->client_cert, "--key", tls->client_key});
  }
  if (!root_password_.empty()) {
    auto login = curl;
    login.insert(login.end(),
                 {"-d", fmt::format(R"({{"name":"root","password":"{}"}})", root_password_),
                  endpoint(i) + "/v3/auth/authenticate"});
    const auto answer = must(std::move(login));
    constexpr std::string_view kToken = R"("token":")";
    const auto at = answer.find(kToken) + kToken.size();
    curl.insert(curl.end(),
                {"-H", "Authorization: " + answer.substr(at, answer.find('"', at) - at)});
  }
  curl.insert(curl.end(), {"-d",
                           fmt::format(R"({{"action":"ACTIVATE","memberID":"{}","alarm":"{}"}})",
                                       id(i).value, alarm),
                           endpoint(i) + "/v3/maintenance/alarm"});
  must(std::move(curl));
}

void EtcdCluster::disarm_alarms() {
  etcdctl({"alarm", "disarm"});
}

void EtcdCluster::compact() {
  // {"header":{…,"revision":12,…},…}
  const auto answer = etcdctl({"get", "kit/none", "-w", "json"});
  constexpr std::string_view kRevision = R"("revision":)";
  const auto at = answer.find(kRevision);
  if (at == std::string::npos) throw std::runtime_error("no revision in " + answer);
  etcdctl({"compact", std::to_string(std::stoll(answer.substr(at + kRevision.size())))});
}

void EtcdCluster::defrag(std::size_t i) {
  etcdctl_at(i, {"defrag"});
}

void EtcdCluster::enable_auth(const std::string& root_password, const std::vector<User>& users) {
  for (const auto& user : users) {
    etcdctl({"user", "add", user.name, "--interactive=false"}, user.password + "\n");
    if (user.permission.empty()) continue;
    const auto role = user.name + "-role";
    etcdctl({"role", "add", role});
    etcdctl({"role", "grant-permission", "--from-key", role, user.permission, ""});
    etcdctl({"user", "grant-role", user.name, role});
  }
  must_have(run(*loop_, etcd_->enable_auth(Secret(root_password), deadline())));
  root_password_ = root_password;
}

}  // namespace etcdmon::kit
