// The part of MemberWatch that fetches pages over HTTP and looks at certificates.
#include <utility>

#include <fmt/format.h>

#include "collect/member_watch.hpp"
#include "collect/url_pattern.hpp"

namespace etcdmon::collect {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The client URL serves /metrics unless etcd was told to serve it elsewhere; then only the pattern
// knows where.
void MemberWatch::plan_metrics_urls() {
  const auto endpoint = net::parse_endpoint(facts_.endpoint);
  if (!endpoint) return;
  std::vector<std::string> urls = {endpoint->url() + "/metrics"};
  if (!context_.options.metrics_url.empty()) {
    urls.push_back(fill_url_pattern(context_.options.metrics_url, *endpoint, facts_.entry.name,
                                    facts_.entry.id, "/metrics"));
  }
  if (urls == metrics_urls_) return;
  metrics_urls_ = std::move(urls);
  metrics_index_ = 0;
}

Task<std::optional<Error>> MemberWatch::fetch_metrics(std::size_t candidate, Deadline deadline) {
  const std::string url = metrics_urls_[candidate];
  if (!metrics_get_ || metrics_get_url_ != url) {
    auto parsed = net::parse_http_url(url);
    if (!parsed) co_return parsed.error();
    metrics_get_ = std::make_unique<net::HttpGet>(
        context_.resolver,
        net::HttpGetOptions{std::move(*parsed), context_.options.tls, context_.options.max_body});
    metrics_get_url_ = url;
  }
  const auto began = steady_clock::now();
  const auto answer = co_await metrics_get_->get(deadline);
  if (!answer) co_return answer.error();
  if (answer->status != 200) {
    co_return Error{ErrorCode::kUnavailable,
                    fmt::format("{} answered HTTP {}", url, answer->status), Cause::kNone};
  }
  const auto ended = steady_clock::now();
  const auto wall = SystemClock{}.now().wall;
  if (!metrics_.on_page(answer->body, ended, wall, ended - began)) {
    co_return Error{ErrorCode::kUnavailable, fmt::format("{} answers, but not as etcd", url),
                    Cause::kProtocol};
  }
  keep_wanted(answer->body);
  co_return std::nullopt;
}

// Under the labels that Prometheus would give them, and the monitor's own.
void MemberWatch::keep_wanted(std::string_view page) {
  if (!wanted_.wants_any()) return;
  const auto now = SystemClock{}.now();
  const auto endpoint = net::parse_endpoint(facts_.endpoint);
  const auto id = facts_.entry.id.none() ? std::string() : to_hex(facts_.entry.id);
  series::LabelledSeries::Labels labels{
      {"cluster", context_.options.cluster},
      {"job", "etcd"},
      {"instance", endpoint ? endpoint->authority() : facts_.endpoint},
      {"member", facts_.entry.name.empty() ? facts_.endpoint : facts_.entry.name}};
  if (!id.empty()) labels.emplace("member_id", id);
  wanted_.set_own_labels(std::move(labels));
  auto own = metrics_.view(now, facts_.status).values;
  own.set(model::Metric::kUp, page.empty() ? 0 : 1);
  wanted_.on_scrape(page, now, own);
}

Task<> MemberWatch::scrape(milliseconds timeout) {
  if (scraping_ || metrics_urls_.empty() || retired_) co_return;
  scraping_ = true;
  const auto sent = steady_clock::now();
  const auto deadline = sent + timeout;
  auto error = co_await fetch_metrics(metrics_index_, deadline);
  if (error && metrics_urls_.size() > 1 && steady_clock::now() < deadline) {
    const auto other = (metrics_index_ + 1) % metrics_urls_.size();
    const auto second = co_await fetch_metrics(other, deadline);
    if (!second) {
      metrics_index_ = other;
      error.reset();
    }
  }
  scraping_ = false;
  if (retired_) co_return;
  const bool late =
      error && error->cause == Cause::kTimeout && steady_clock::now() - deadline > kOwnLag;
  if (late) co_return;
  facts_.metrics_url = metrics_urls_[metrics_index_];
  facts_.scrape = model::ProbeOutcome{sent, steady_clock::now(), error};
  if (error) {
    metrics_.on_failure();
    keep_wanted({});
  } else {
    facts_.metrics = metrics_.facts();
  }
  context_.changed(Urgency::kSoon);
}

Task<> MemberWatch::scrape_node(milliseconds timeout) {
  const auto endpoint = net::parse_endpoint(facts_.endpoint);
  if (context_.options.node_exporter_url.empty() || !endpoint || retired_) co_return;
  if (!node_get_) {
    const auto url = fill_url_pattern(context_.options.node_exporter_url, *endpoint,
                                      facts_.entry.name, facts_.entry.id, "/metrics");
    auto parsed = net::parse_http_url(url);
    if (!parsed) co_return;
    node_get_ = std::make_unique<net::HttpGet>(
        context_.resolver,
        net::HttpGetOptions{std::move(*parsed), context_.options.tls, context_.options.max_body});
  }
  const auto answer = co_await node_get_->get(steady_clock::now() + timeout);
  if (!answer || answer->status != 200 || retired_) co_return;
  metrics_.on_node_page(answer->body, steady_clock::now());
}

void MemberWatch::collect_certificates() {
  facts_.certificates.clear();
  const auto add = [this](std::string_view where, const net::Certificate& certificate) {
    facts_.certificates.push_back({std::string(where), certificate.subject, certificate.issuer,
                                   certificate.not_before, certificate.not_after});
  };
  if (!link_) return;
  const auto endpoint = net::parse_endpoint(facts_.endpoint);
  if (!endpoint || !endpoint->tls) return;
  const auto& chain = link_->peer_certificates();
  if (!chain.empty()) add("client url", chain.front());
  if (metrics_get_ && !metrics_get_->peer_certificates().empty()) {
    const auto& leaf = metrics_get_->peer_certificates().front();
    if (chain.empty() || leaf.subject != chain.front().subject ||
        leaf.not_after != chain.front().not_after)
      add("metrics url", leaf);
  }
  if (context_.options.tls && context_.options.tls->own_certificate())
    add("our client certificate", *context_.options.tls->own_certificate());
}

}  // namespace etcdmon::collect
