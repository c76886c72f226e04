// rpc_perf: what a unary call through the coroutine interface costs this process.
//
//   rpc_perf ADDRESS [-c connections] [-m calls in flight on each] [-n calls] [-s]
//
// Linearizable Range of the key "foo" (-s: serializable), each call awaited by one of c × m
// coroutines. Prints one line of JSON. Exit code 1 if a call failed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "async/task_scope.hpp"
#include "async/when_all.hpp"
#include "net/resolver.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::perf {
namespace {

using namespace std::chrono_literals;

struct Plan {
  net::Endpoint endpoint;
  int connections = 8;
  int in_flight = 16;
  std::int64_t calls = 100'000;
  std::string request = std::string("\x0a\x03", 2) + "foo";
};

struct Tally {
  std::int64_t left = 0;
  std::int64_t failed = 0;
  std::string first_error;
};

double cpu_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Task<int> worker(rpc::Connection& connection, const Plan& plan, Tally& tally) {
  while (tally.left > 0) {
    --tally.left;
    rpc::Call call{"/etcdserverpb.KV/Range", plan.request, std::chrono::steady_clock::now() + 10s,
                   nullptr};
    auto answer = co_await connection.unary(std::move(call));
    if (answer) continue;
    if (tally.failed++ == 0) tally.first_error = answer.error().message;
  }
  co_return 0;
}

Task<int> run(Plan plan) {
  const auto executor = co_await async::this_executor();
  net::Resolver resolver(executor);
  std::vector<std::unique_ptr<rpc::Connection>> connections;
  for (int i = 0; i < plan.connections; ++i) {
    rpc::ConnectionOptions options;
    options.endpoint = plan.endpoint;
    connections.push_back(
        std::make_unique<rpc::Connection>(executor, resolver, std::move(options), Logger{}));
  }
  Tally tally;
  tally.left = plan.calls;
  std::vector<Task<int>> workers;
  for (auto& connection : connections) {
    for (int i = 0; i < plan.in_flight; ++i) workers.push_back(worker(*connection, plan, tally));
  }
  const auto begin = std::chrono::steady_clock::now();
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  co_await async::when_all(std::move(workers));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double user = cpu_seconds(after.ru_utime) - cpu_seconds(before.ru_utime);
  const double system = cpu_seconds(after.ru_stime) - cpu_seconds(before.ru_stime);
  const auto calls = static_cast<double>(plan.calls);
  fmt::print(
      "{{\"client\":\"rpc\",\"connections\":{},\"in_flight\":{},\"calls\":{},\"failed\":{},"
      "\"error\":\"{}\",\"seconds\":{:.3f},"
      "\"calls_per_second\":{:.0f},\"cpu_us_per_call\":{:.3f},\"user_us\":{:.3f},\"system_us\":{:."
      "3f}}}\n",
      plan.connections, plan.in_flight, plan.calls, tally.failed, tally.first_error, took.count(),
      calls / took.count(), (user + system) * 1e6 / calls, user * 1e6 / calls,
      system * 1e6 / calls);
  for (auto& connection : connections) co_await connection->close();
  co_return tally.failed == 0 ? 0 : 1;
}

int usage() {
  fmt::print(stderr, "usage: rpc_perf ADDRESS [-c connections] [-m in flight] [-n calls] [-s]\n");
  return 2;
}

}  // namespace

int main_of(std::vector<std::string> arguments) {
  if (arguments.empty()) return usage();
  Plan plan;
  auto endpoint = net::parse_endpoint(arguments.front());
  if (!endpoint) return usage();
  plan.endpoint = *std::move(endpoint);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "-s") {
      plan.request += std::string("\x38\x01", 2);
      continue;
    }
    if (i + 1 == arguments.size()) return usage();
    const auto number = std::strtoll(arguments[i + 1].c_str(), nullptr, 10);
    if (arguments[i] == "-c") plan.connections = static_cast<int>(number);
    if (arguments[i] == "-m") plan.in_flight = static_cast<int>(number);
    if (arguments[i] == "-n") plan.calls = number;
    ++i;
  }
  Loop loop(1);
  int code = 1;
  asio::co_spawn(loop, run(std::move(plan)),
                 [&code](const std::exception_ptr& exception, int result) {
                   if (exception) std::rethrow_exception(exception);
                   code = result;
                 });
  loop.run();
  return code;
}

}  // namespace etcdmon::perf

int main(int argc, char** argv) {
  return etcdmon::perf::main_of({argv + 1, argv + argc});
}
