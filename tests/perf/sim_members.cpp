// sim_members: many healthy etcd members in one process, each at an address of its own.
//
//   sim_members --page=FILE [--clusters=1] [--members=3] [--network=127.20] [--port=2379]
//               [--time-scale=1] [--cert=FILE --key=FILE --client-ca=FILE]
//
// Member M of cluster C listens on NETWORK.C.M (both counted from 1) and answers as etcd does:
// Status, MemberList, Range, Alarm, HashKV, Put and Txn over gRPC, and /metrics. FILE is a page
// that a real member served; its counters go on. Prints "ready" and runs until SIGTERM, or until
// its parent ends.
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "perf/sim_cluster.hpp"
#include "perf/sim_connection.hpp"
#include "perf/sim_page.hpp"

namespace etcdmon::perf {
namespace {

struct Plan {
  std::string page;
  std::size_t clusters = 1;
  std::size_t members = 3;
  std::string network = "127.20";
  std::uint16_t port = 2379;
  double time_scale = 1;
  std::string cert;
  std::string key;
  std::string client_ca;
};

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "sim_members: {}\n", what);
  std::exit(1);
}

int select_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* offered, unsigned offered_length, void* /*arg*/) {
  constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  auto* chosen = const_cast<unsigned char*>(*out);
  const int found =
      SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs - 1, offered, offered_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* make_tls(const Plan& plan) {
  if (plan.cert.empty()) return nullptr;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, plan.cert.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, plan.key.c_str(), SSL_FILETYPE_PEM) != 1)
    fail("cannot use the certificate or its key");
  if (!plan.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context, plan.client_ca.c_str(), nullptr) != 1)
      fail("cannot use the clients' authority");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  constexpr unsigned char kId[] = "sim";
  SSL_CTX_set_session_id_context(context, kId, sizeof kId - 1);
  return context;
}

/// All listeners and connections of the process, on one epoll.
class Simulation {
 public:
  Simulation(const Plan& plan, const SimWorld& world)
      : plan_(plan), tls_(make_tls(plan)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t c = 1; c <= plan.clusters; ++c) add_cluster(world, c);
  }

  void run(const volatile std::sig_atomic_t& stop) {
    std::vector<epoll_event> events(512);
    while (stop == 0) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1000);
      for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

 private:
  struct Listener {
    const SimCluster* cluster;
    std::size_t member;
  };

  void add_cluster(const SimWorld& world, std::size_t number) {
    std::vector<SimCluster::Address> addresses;
    std::vector<std::string> hosts;
    for (std::size_t m = 1; m <= plan_.members; ++m) {
      hosts.push_back(fmt::format("{}.{}.{}", plan_.network, number, m));
      const std::string scheme = tls_ != nullptr ? "https" : "http";
      addresses.push_back({fmt::format("{}://{}:{}", scheme, hosts.back(), plan_.port),
                           fmt::format("{}://{}:{}", scheme, hosts.back(), plan_.port + 1),
                           fmt::format("c{}-m{}", number, m)});
    }
    clusters_.push_back(
        std::make_unique<SimCluster>(world, fmt::format("cluster {}", number), addresses));
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const int socket = listen_on(hosts[i]);
      listeners_[socket] = {clusters_.back().get(), i};
      watch(socket, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  int listen_on(const std::string& host) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket, 128) != 0)
      fail(fmt::format("cannot listen on {}:{}: {}", host, plan_.port, std::strerror(errno)));
    return socket;
  }

  void watch(int socket, std::uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    ::epoll_ctl(epoll_, operation, socket, &event);
  }

  void handle(int fd) {
    if (const auto listener = listeners_.find(fd); listener != listeners_.end()) {
      accept_all(fd, listener->second);
      return;
    }
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    auto& connection = *found->second;
    const bool wrote = connection.wants_write();
    if (!connection.serve()) {
      connections_.erase(found);
    } else if (connection.wants_write() != wrote) {
      watch(fd, connection.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
  }

  void accept_all(int listening, const Listener& listener) {
    while (true) {
      const int socket = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[socket] = std::make_unique<SimConnection>(
          socket, tls_, SimConnection::Host{*listener.cluster, listener.member, counters_});
      watch(socket, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  const Plan& plan_;
  SSL_CTX* tls_;
  int epoll_;
  SimCounters counters_;
  std::vector<std::unique_ptr<SimCluster>> clusters_;
  std::map<int, Listener> listeners_;
  std::map<int, std::unique_ptr<SimConnection>> connections_;
};

volatile std::sig_atomic_t g_stop = 0;

Plan read_plan(const std::vector<std::string>& arguments) {
  Plan plan;
  const std::map<std::string, std::string*> texts = {{"page", &plan.page},
                                                     {"network", &plan.network},
                                                     {"cert", &plan.cert},
                                                     {"key", &plan.key},
                                                     {"client-ca", &plan.client_ca}};
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string::npos) fail("see the source: usage");
    const auto name = argument.substr(2, equals - 2);
    const auto value = argument.substr(equals + 1);
    if (const auto text = texts.find(name); text != texts.end()) {
      *text->second = value;
    } else if (name == "clusters") {
      plan.clusters = std::stoul(value);
    } else if (name == "members") {
      plan.members = std::stoul(value);
    } else if (name == "port") {
      plan.port = static_cast<std::uint16_t>(std::stoul(value));
    } else if (name == "time-scale") {
      plan.time_scale = std::stod(value);
    } else {
      fail("unknown option " + argument);
    }
  }
  if (plan.clusters > 255 || plan.members > 254) fail("at most 255 clusters of 254 members");
  return plan;
}

void raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main_of(const std::vector<std::string>& arguments) {
  const auto plan = read_plan(arguments);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { g_stop = 1; });
  std::signal(SIGINT, [](int) { g_stop = 1; });
  raise_file_limit();
  std::ifstream file(plan.page, std::ios::binary);
  if (!file) fail("cannot read --page=" + plan.page);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const PageTemplate page(text);
  const SimWorld world{.page = page, .time_scale = plan.time_scale};
  Simulation simulation(plan, world);
  fmt::print("ready\n");
  std::fflush(stdout);
  simulation.run(g_stop);
  return 0;
}

}  // namespace etcdmon::perf

int main(int argc, char** argv) {
  return etcdmon::perf::main_of({argv + 1, argv + argc});
}
