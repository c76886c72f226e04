#include "api/rest_api.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "api/exposition.hpp"
#include "api/json_writer.hpp"
#include "api/process_stats.hpp"
#include "api/prometheus.hpp"
#include "api/rest/pages.hpp"
#include "api/which_cluster.hpp"

namespace etcdmon::api {

namespace {

using model::ClusterView;
using model::ClusterViewPtr;

struct PageRow {
  std::string_view path;
  std::string_view about;
  std::string (*render)(const ClusterView&);
};

constexpr std::array kRows = std::to_array<PageRow>({
    {"/api/v1/cluster/status", "whether a cluster is healthy, and what is wrong",
     rest::status_page},
    {"/api/v1/cluster/members", "one row a member", rest::members_page},
    {"/api/v1/cluster/leader", "the leader, since when, and the changes before", rest::leader_page},
    {"/api/v1/cluster/peers", "how each member sees each other one", rest::peers_page},
    {"/api/v1/metrics/current", "the newest numbers of a cluster and its members",
     rest::current_metrics_page},
    {"/api/v1/metrics/latency", "latencies per member and operation, with their source",
     rest::latency_page},
    {"/api/v1/alerts", "alerts that are pending or firing", rest::alerts_page},
    {"/api/v1/events", "the last 200 things that happened", rest::events_page},
});

// Work on the loop yields after this long.
constexpr std::chrono::milliseconds kTurn{2};

net::Response text(std::string body) {
  net::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

RestApi::RestApi(ViewSource& source, RestApiOptions options)
    : source_(source), options_(std::move(options)) {
  static_assert(kRows.size() == kPages);
  boot_ = fmt::format("{:x}", source_.monitor().started_at.time_since_epoch().count());
  using auth::Action;
  using net::Request;
  router_.add({"GET", "/", Access::open(), "this list"},
              [this](const Request&, const PathParameters&, const Caller& caller) {
                return answered(index(caller));
              });
  router_.add(
      {"GET", "/health", Access::open(), "the monitor itself; with ?ready 503 until it has judged"},
      [this](const Request& r, const PathParameters&, const Caller& caller) {
        return answered(health(r, caller));
      });
  router_.add({"GET", "/metrics", Access::monitor(Action::kRead), "all of it for Prometheus"},
              [this](const Request&, const PathParameters&) { return metrics_page(); });
  router_.add(
      {"GET", "/api/v1/clusters", Access::clusters(Action::kRead), "all clusters, one line each"},
      [this](const Request& r, const PathParameters&, const Caller& caller) {
        return answered(clusters_page(r, caller));
      });
  for (std::size_t i = 0; i < kPages; ++i) {
    router_.add({"GET", std::string(kRows[i].path), Access::cluster(Action::kRead),
                 std::string(kRows[i].about)},
                [this, i](const Request& r, const PathParameters&, const Caller& caller) {
                  return answered(cluster_page(r, i, caller));
                });
  }
}

std::vector<ClusterViewPtr> RestApi::views(const std::vector<std::string>& names) const {
  std::vector<ClusterViewPtr> views;
  for (const auto& name : names) views.push_back(source_.view(name));
  return views;
}

net::Response RestApi::cluster_page(const net::Request& request, std::size_t page,
                                    const Caller& caller) {
  std::string name;
  if (auto refused = choose_cluster(request, source_, caller, name)) return *std::move(refused);

  const auto view = source_.view(name);
  auto& cached = pages_of(name)[page];
  const auto version = view ? view->version : 0;
  if (!cached.body || cached.version != version) {
    if (view) {
      render(cached, version, kRows[page].render(*view));
    } else {
      ClusterView none_yet;
      none_yet.cluster = name;
      render(cached, version, kRows[page].render(none_yet));
    }
  }
  return conditional(request, cached);
}

RestApi::Pages& RestApi::pages_of(const std::string& cluster) {
  const auto found = pages_.find(cluster);
  if (found != pages_.end()) return found->second;
  // A reload may have taken clusters away.
  const auto& names = source_.clusters();
  std::erase_if(pages_, [&](const auto& entry) {
    return std::ranges::find(names, entry.first) == names.end();
  });
  return pages_[cluster];
}

net::Response RestApi::clusters_page(const net::Request& request, const Caller& caller) {
  const auto names = caller.visible(source_.clusters());
  const auto all = views(names);
  if (names.size() != source_.clusters().size()) {
    // A part of them has a tag of its own: what it was rendered from, and for whom.
    Page part;
    render(part, 0, rest::clusters_page(names, all));
    part.etag.pop_back();
    for (std::size_t i = 0; i < names.size(); ++i)
      part.etag += fmt::format("-{}.{}", names[i], all[i] ? all[i]->version : 0);
    part.etag += '"';
    return conditional(request, part);
  }
  std::vector<std::uint64_t> versions;
  for (const auto& view : all) versions.push_back(view ? view->version : 0);
  if (!overview_.body || versions != overview_versions_ || names != overview_names_) {
    overview_names_ = names;
    overview_versions_ = std::move(versions);
    render(overview_, overview_.version + 1, rest::clusters_page(names, all));
  }
  return conditional(request, overview_);
}

void RestApi::render(Page& page, std::uint64_t version, std::string body) const {
  page.version = version;
  page.body = std::make_shared<const std::string>(std::move(body += '\n'));
  page.etag = fmt::format("\"{}-{}\"", boot_, version);
}

net::Response RestApi::conditional(const net::Request& request, const Page& page) const {
  net::Response response;
  response.headers.push_back({"ETag", page.etag});
  response.headers.push_back({"Cache-Control", "no-cache"});
  const auto known = request.header("if-none-match");
  if (known && matches_etag(*known, page.etag)) {
    response.status = 304;
  } else {
    response.shared_body = page.body;
  }
  return response;
}

net::Response RestApi::health(const net::Request& request, const Caller& caller) const {
  const auto all = views(source_.clusters());
  const auto names = caller.visible(source_.clusters());
  net::Response response;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = rest::health_page(source_.monitor(), std::ranges::all_of(all, rest::is_ready),
                                    names, views(names)) +
                  "\n";
  if (request.parameter("ready") && !std::ranges::all_of(all, rest::is_ready)) {
    response.status = 503;
  }
  return response;
}

net::Response RestApi::index(const Caller& caller) const {
  std::string body = fmt::format("etcd-monitor {}\n\n", source_.monitor().version);
  for (const auto& route : router_.routes()) {
    body += fmt::format("{:<6} {:<26} {}\n", route.method, route.pattern, route.about);
  }
  body += "\nPages about a cluster take ?cluster=NAME";
  const auto names = caller.visible(source_.clusters());
  body += names.empty() ? ".\n" : fmt::format("; there are: {}.\n", joined(names));
  return text(std::move(body));
}

Task<net::Response> RestApi::metrics_page() {
  const ClusterExposition clusters(views(source_.clusters()));
  std::string body;
  body.reserve(metrics_size_ + metrics_size_ / 8);
  auto turn_ends = std::chrono::steady_clock::now() + kTurn;
  for (std::size_t family = 0; family < clusters.families(); ++family) {
    clusters.append(body, family);
    if (std::chrono::steady_clock::now() < turn_ends) continue;
    co_await async::yield();
    turn_ends = std::chrono::steady_clock::now() + kTurn;
  }
  const auto monitor = source_.monitor();
  append_build(body, monitor.version, monitor.build,
               std::chrono::duration<double>(monitor.uptime).count());
  if (options_.registry != nullptr) append_registry(body, *options_.registry);
  if (options_.http_counts) append_http_counts(body, options_.http_counts());
  append_process_stats(body, ProcessStats::read());
  metrics_size_ = body.size();
  auto response = text(std::move(body));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const auto end = std::min(if_none_match.find(','), if_none_match.size());
    auto candidate = if_none_match.substr(0, end);
    if_none_match.remove_prefix(std::min(end + 1, if_none_match.size()));
    candidate.remove_prefix(std::min(candidate.find_first_not_of(" \t"), candidate.size()));
    candidate = candidate.substr(0, candidate.find_last_not_of(" \t") + 1);
    // The weak comparison: what is named weakly matches too.
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == etag || candidate == "*") return true;
  }
  return false;
}

}  // namespace etcdmon::api
