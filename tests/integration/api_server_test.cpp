// The API over real sockets, asked by programs that are not ours, and by clients that mean no good.
#include <arpa/inet.h>
#include <filesystem>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest_api.hpp"
#include "api/testing/views.hpp"
#include "kit/command.hpp"
#include "kit/loop_thread.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"
#include "net/http_server.hpp"

namespace etcdmon::api {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

model::ClusterView full_view(std::string name) {
  auto view = testing::example_view();
  view.cluster = std::move(name);
  for (auto& member : view.members) {
    for (const auto& doc : model::metric_docs()) member.values.set(doc.metric, 0.25);
  }
  model::Verdict verdict;
  verdict.check = model::Check::kMemberUnreachable;
  verdict.subject = "in \"quotes\"\n";
  view.assessment.verdicts = {verdict};
  view.observation.members[0].status->errors = {"memberID:17 alarm:NOSPACE "};
  view.observation.members[1].certificates = {{.where = "client url",
                                               .subject = "CN=infra3",
                                               .issuer = "CN=ca",
                                               .not_before = {},
                                               .not_after = testing::now().wall}};
  return view;
}

// A socket of a client that does not use HTTP as intended.
class RawClient {
 public:
  RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connect(std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Until the server closes, or `limit` has passed without a byte.
  std::string hear(std::chrono::seconds limit = 10s) const {
    const timeval time{.tv_sec = limit.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    std::string heard;
    char buffer[4096];
    for (;;) {
      const auto count = ::recv(socket_, buffer, sizeof(buffer), 0);
      if (count <= 0) return heard;
      heard.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  int socket_;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

class ApiServer : public ::testing::Test {
 protected:
  void start(net::HttpServerOptions options = {}) {
    options.host = "127.0.0.1";
    options.port = 0;
    const auto handler = [this](const net::Request& request) { return api_.handle(request); };
    server_ = loop_.call([&] {
      auto server = net::HttpServer::listen(loop_.executor(), options, handler, {});
      if (!server) throw std::runtime_error(server.error().message);
      (*server)->start();
      return *std::move(server);
    });
  }

  void TearDown() override {
    if (!server_) return;
    loop_.run(stopped());
    loop_.call([this] { server_.reset(); });
  }

  Task<bool> stopped() {
    co_await server_->stop(std::chrono::steady_clock::now() + 3s);
    co_return true;
  }

  std::string url(const std::string& target) const {
    return "http://" + server_->address() + target;
  }
  net::HttpServerCounts counts() {
    return loop_.call([this] { return server_->counts(); });
  }

  kit::LoopThread loop_;
  testing::FakeViews source_;
  metrics::Registry registry_;
  RestApi api_{source_,
               {.registry = &registry_, .http_counts = [this] { return server_->counts(); }}};
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(ApiServer, CurlGetsWhatTheSpecificationShows) {
  source_.set("prod", testing::shared(full_view("prod")));
  start();
  const auto status = kit::fetch(url("/api/v1/cluster/status"));
  EXPECT_EQ(status.status, 200) << status.error;
  EXPECT_THAT(status.body, StartsWith(R"({"healthy":true,"leader_id":10276657743932975437,)"));
  EXPECT_THAT(status.headers, HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(kit::fetch(url("/api/v1/metrics/current")).body,
              HasSubstr(R"("read_latency_p50":2.5,"read_latency_p95":8.2)"));
  EXPECT_EQ(kit::fetch(url("/api/v1/metrics/latency")).status, 200);
  EXPECT_EQ(kit::fetch(url("/health")).status, 200);
}

TEST_F(ApiServer, CurlIsAnsweredWhateverItAsksFor) {
  source_.set("prod", testing::shared(full_view("prod")));
  start();
  const auto status = url("/api/v1/cluster/status");
  const auto head = kit::fetch(status, {"--head"});
  EXPECT_EQ(head.status, 200);
  const auto etag_at = head.headers.find("ETag: ") + 6;
  const auto etag = head.headers.substr(etag_at, head.headers.find('\r', etag_at) - etag_at);
  const auto same = kit::fetch(status, {"-H", "If-None-Match: " + etag});
  EXPECT_EQ(same.status, 304);
  EXPECT_THAT(same.body, IsEmpty());

  EXPECT_EQ(kit::fetch(status, {"--http1.0"}).status, 200);
  const auto posted = kit::fetch(status, {"--data", "x"});
  EXPECT_EQ(posted.status, 405);
  EXPECT_THAT(posted.headers, AllOf(HasSubstr("Allow: GET, HEAD"),
                                    HasSubstr("Content-Type: application/problem+json")));
  EXPECT_EQ(kit::fetch(status, {"--request", "OPTIONS"}).status, 405);
  EXPECT_EQ(kit::fetch(url("/nothing")).status, 404);
  EXPECT_EQ(kit::fetch(status + "?cluster=dev").status, 404);
  // curl asks first (Expect: 100-continue) and is told no before it sends these megabytes.
  const auto large = std::filesystem::read_symlink("/proc/self/exe");
  ASSERT_GT(std::filesystem::file_size(large), 2U << 20U);
  EXPECT_EQ(kit::fetch(status, {"--data-binary", "@" + large.string()}).status, 413);
  EXPECT_EQ(kit::fetch(status, {"--header", "X-Long: " + std::string(20'000, 'x')}).status, 431);
}

TEST_F(ApiServer, PromtoolFindsNoFaultWithTheMetrics) {
  if (!kit::has_program("promtool")) GTEST_SKIP() << "skipped: promtool is not installed";
  source_.set("prod", testing::shared(full_view("prod")));
  source_.set("test", testing::shared(full_view("test")));
  source_.set("new", nullptr);
  registry_.counter("etcdmon_rounds_total", "Rounds.").add();
  registry_.histogram("etcdmon_round_seconds", "Time of a round.", {0.1, 1}).observe(0.3);
  start();
  const auto page = kit::fetch(url("/metrics"));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  const auto checked = kit::command({"promtool", "check", "metrics"}, page.body);
  EXPECT_EQ(checked.out + checked.err, "");
}

TEST_F(ApiServer, SilentClientsCannotHoldIt) {
  source_.set("prod", testing::shared(full_view("prod")));
  net::HttpServerOptions options;
  options.max_connections = 30;
  options.header_timeout = 300ms;
  options.sweep_interval = 20ms;
  start(options);
  const auto before = open_descriptors();
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 60; ++i) {
      clients.push_back(std::make_unique<RawClient>());
      ASSERT_TRUE(clients.back()->connect(server_->port()));
      if (i % 2 == 0) clients.back()->send("GET / HTTP/1.1\r\n");
    }
    ASSERT_TRUE(kit::eventually([this] { return counts().connections == 60; }));
    EXPECT_EQ(counts().connections_refused, 30U);
    EXPECT_EQ(kit::fetch(url("/health")).status, 503);
    EXPECT_TRUE(kit::eventually([this] { return counts().connections_open == 0; }));
    EXPECT_EQ(kit::fetch(url("/health")).status, 200);
    EXPECT_THAT(clients[0]->hear(), StartsWith("HTTP/1.1 408 "));
    EXPECT_THAT(clients[1]->hear(), IsEmpty());
    EXPECT_THAT(clients[59]->hear(), StartsWith("HTTP/1.1 503 "));
  }
  EXPECT_TRUE(kit::eventually([&] { return open_descriptors() <= before; }));
}

TEST_F(ApiServer, ComesBackWhenDescriptorsHadRunOut) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan makes a pipe to look at an object, and fails where no descriptor is left";
#endif
  source_.set("prod", testing::shared(full_view("prod")));
  start();
  const std::vector<RawClient> clients(8);
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  // A new descriptor takes the lowest free number: only numbers below the limit count.
  const int next = ::dup(0);
  ::close(next);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (const auto& client : clients) {
    EXPECT_TRUE(client.connect(server_->port())) << "the kernel accepts";
    client.send("GET /health HTTP/1.0\r\n\r\n");
  }
  const bool ran_out = kit::eventually([this] { return counts().accept_failures >= 3; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_TRUE(ran_out);
  for (const auto& client : clients) EXPECT_THAT(client.hear(), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_LT(counts().accept_failures, 50U) << "it backs off";
}

TEST_F(ApiServer, AThousandConnectionsLeaveNothingBehind) {
  source_.set("prod", testing::shared(full_view("prod")));
  start();
  const auto before = open_descriptors();
  for (int i = 0; i < 1000; ++i) {
    const RawClient client;
    ASSERT_TRUE(client.connect(server_->port()));
    // Some ask and read, some ask and go, some go at once.
    if (i % 3 != 0) client.send("GET /api/v1/cluster/members HTTP/1.0\r\n\r\n");
    if (i % 3 == 1) {
      ASSERT_THAT(client.hear(), StartsWith("HTTP/1.1 200 OK"));
    }
  }
  EXPECT_TRUE(kit::eventually([this] { return counts().connections_open == 0; }));
  EXPECT_TRUE(kit::eventually([&] { return open_descriptors() <= before; }));
}

}  // namespace
}  // namespace etcdmon::api
