#include "kit/netns_cluster.hpp"

#include <atomic>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "kit/command.hpp"
#include "kit/netns.hpp"

namespace etcdmon::kit {

namespace {

// 198.18.0.0/15 is set aside for tests of networks: nobody routes it.
constexpr int kSubnets = 512;

// A subnet that no other process of this machine uses, held by a socket that ends with us.
class Subnet {
 public:
  Subnet() {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < kSubnets; ++i) {
      const int number = (::getpid() + i) % kSubnets;
      const auto name = fmt::format("etcdmon-subnet-{}", number);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      // An abstract name: it begins with NUL and leaves no file.
      name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
      const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
      if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) continue;
      prefix_ = fmt::format("198.{}.{}", 18 + number / 256, number % 256);
      return;
    }
    throw std::runtime_error("no subnet is free");
  }
  ~Subnet() { ::close(socket_); }
  Subnet(const Subnet&) = delete;
  Subnet& operator=(const Subnet&) = delete;

  std::string address(std::size_t host) const { return fmt::format("{}.{}", prefix_, host); }

 private:
  int socket_ = -1;
  std::string prefix_;
};

std::string link_name() {
  static std::atomic<int> count = 0;
  return fmt::format("emk{}x{}", ::getpid(), ++count);
}

// In one transaction: no moment without the old rules or with half of the new.
std::string ruleset(const std::vector<std::string>& rules) {
  std::string script =
      "table inet kit\ndelete table inet kit\nadd table inet kit\n"
      "add chain inet kit input { type filter hook input priority 0; }\n"
      "add chain inet kit output { type filter hook output priority 0; }\n";
  for (const auto& rule : rules) script += rule + "\n";
  return script;
}

std::string try_it() {
  if (etcd_versions().empty()) return "no etcd is installed";
  for (const char* program : {"ip", "nft", "nsenter"}) {
    if (!has_program(program)) return fmt::format("{} is not installed", program);
  }
  try {
    const auto one = Netns::make();
    const auto two = Netns::make();
    one.ip("link add br0 type bridge\n" +
           fmt::format("link add v0 type veth peer name v1 netns {}\n", two.path()));
    two.must({"nft", "-f", "-"},
             ruleset({"add rule inet kit input numgen random mod 100 < 5 drop"}));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

struct NetnsCluster::State {
  Subnet subnet;
  Netns fabric = Netns::make();  // where the switch is
  std::vector<Netns> members;
  std::vector<std::vector<std::string>> rules;  // of each member's input, and of output to us
  std::string link = link_name();
  std::unique_ptr<EtcdCluster> etcd;

  std::string address(std::size_t i) const { return subnet.address(i + 1); }
  std::string monitor() const { return subnet.address(254); }

  void connect_monitor() {
    fabric.ip(
        fmt::format("link add br0 type bridge\nlink set br0 up\nlink add monitor type veth peer "
                    "name {} netns /proc/{}/ns/net\n"
                    "link set monitor master br0 up\n",
                    link, ::getpid()));
    must({"ip", "-batch", "-"},
         fmt::format("addr add {}/24 dev {}\nlink set {} up\n", monitor(), link, link));
  }

  void connect_member() {
    const auto i = members.size();
    auto& member = members.emplace_back(Netns::make());
    rules.emplace_back();
    fabric.ip(fmt::format(
        "link add m{0} type veth peer name eth0 netns {1}\nlink set m{0} master br0 up\n", i,
        member.path()));
    member.ip(
        fmt::format("link set lo up\naddr add {}/24 dev eth0\nlink set eth0 up\n", address(i)));
  }

  void drop(std::size_t from, std::size_t to, const std::string& which) {
    rules.at(to).push_back(
        fmt::format("add rule inet kit input ip saddr {} {} drop", address(from), which));
    apply(to);
  }

  void apply(std::size_t i) { members.at(i).must({"nft", "-f", "-"}, ruleset(rules.at(i))); }
};

const std::string& NetnsCluster::unavailable_reason() {
  static const std::string kReason = try_it();
  return kReason;
}

NetnsCluster::NetnsCluster() : NetnsCluster(EtcdCluster::Options{}) {}

NetnsCluster::NetnsCluster(EtcdCluster::Options options) : state_(std::make_unique<State>()) {
  auto* state = state_.get();
  state->connect_monitor();
  for (std::size_t i = 0; i < options.members; ++i) state->connect_member();
  options.place = [state](std::size_t i) {
    // One that is added later needs a network too.
    while (state->members.size() <= i) state->connect_member();
    return LocalEtcd::Place{.host = state->address(i),
                            .client_port = 2379,
                            .peer_port = 2380,
                            .metrics_port = 2381,
                            .command = state->members[i].enter()};
  };
  state->etcd = std::make_unique<EtcdCluster>(std::move(options));
}

NetnsCluster::~NetnsCluster() = default;

EtcdCluster& NetnsCluster::etcd() {
  return *state_->etcd;
}
std::string NetnsCluster::address(std::size_t i) const {
  return state_->address(i);
}
std::string NetnsCluster::monitor_address() const {
  return state_->monitor();
}

void NetnsCluster::cut(std::size_t i, std::size_t j) {
  cut_one_way(i, j);
  cut_one_way(j, i);
}

void NetnsCluster::cut_one_way(std::size_t from, std::size_t to) {
  state_->drop(from, to, "");
}

void NetnsCluster::lose(std::size_t i, std::size_t j, int percent) {
  const auto share = fmt::format("numgen random mod 100 < {}", percent);
  state_->drop(i, j, share);
  state_->drop(j, i, share);
}

void NetnsCluster::isolate(std::size_t i) {
  for (std::size_t j = 0; j < state_->members.size(); ++j) {
    if (j != i) cut(i, j);
  }
}

void NetnsCluster::split(const std::vector<std::size_t>& side,
                         const std::vector<std::size_t>& other) {
  for (const auto i : side) {
    for (const auto j : other) cut(i, j);
  }
}

void NetnsCluster::cut_from_monitor(std::size_t i) {
  // No rule is put into our own network, so what comes back is dropped where it leaves.
  auto& rules = state_->rules.at(i);
  rules.push_back(fmt::format("add rule inet kit input ip saddr {} drop", monitor_address()));
  rules.push_back(fmt::format("add rule inet kit output ip daddr {} drop", monitor_address()));
  state_->apply(i);
}

void NetnsCluster::heal() {
  for (std::size_t i = 0; i < state_->members.size(); ++i) {
    state_->rules[i].clear();
    state_->apply(i);
  }
}

}  // namespace etcdmon::kit
