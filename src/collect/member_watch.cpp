#include "collect/member_watch.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/when_all.hpp"
#include "collect/url_pattern.hpp"

namespace etcdmon::collect {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A key that no one has: reading it costs etcd a read index or a look at its tree, and nothing
// else.
constexpr std::string_view kProbeKey = "health";
constexpr std::string_view kWriteProbeKey = "etcd-monitor/write-probe";
// An advertised URL that could not be reached is tried again this often.
constexpr std::chrono::minutes kAdvertisedAgain{10};

model::ProbeOutcome outcome(SteadyTime sent, std::optional<Error> error) {
  return model::ProbeOutcome{sent, steady_clock::now(), std::move(error)};
}

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error();
}

// A closed link cancels its calls; that says nothing about the member.
bool is_ours(const Error& error) {
  return error.code == ErrorCode::kCancelled;
}

// The question timed out, but this process was not there to take the answer.
bool came_late(const Error& error, Deadline deadline) {
  return error.cause == Cause::kTimeout && steady_clock::now() - deadline > MemberWatch::kOwnLag;
}

MemberMetricsOptions metrics_options(const CollectOptions& options) {
  MemberMetricsOptions metrics;
  metrics.pool = options.line_pool;
  // Three pages in a row may be lost before a value counts as unknown.
  metrics.page_stale_after = 3 * options.metrics_interval + options.metrics_interval / 2;
  metrics.status_stale_after =
      std::max<Duration>(metrics.status_stale_after, 3 * options.pulse_interval);
  return metrics;
}

}  // namespace

MemberWatch::MemberWatch(WatchContext& context, WatchTarget target)
    : context_(context),
      logger_(context.logger),
      metrics_(metrics_options(context.options)),
      urls_(target.urls),
      configured_(target.configured) {
  facts_.entry = std::move(target.entry);
  facts_.link.since = steady_clock::now();
  wanted_.want(context_.options.wanted);
}

MemberWatch::~MemberWatch() = default;

MemberWatch::LinkPtr MemberWatch::make_link(const std::string& url) {
  auto endpoint = net::parse_endpoint(url);
  if (!endpoint) return nullptr;
  if (!endpoint->scheme_given) endpoint->tls = !context_.options.plain_by_default;
  facts_.endpoint = endpoint->url();
  etcd::LinkOptions options{.endpoint = std::move(*endpoint),
                            .tls = context_.options.tls,
                            .dial_timeout = context_.options.dial_timeout,
                            .tokens = context_.tokens};
  return std::make_shared<etcd::Link>(context_.executor, context_.resolver, std::move(options),
                                      logger_);
}

void MemberWatch::start() {
  if (!urls_.empty()) open_link();
}

void MemberWatch::open_link() {
  link_ = make_link(url());
  if (!link_) {
    facts_.pulse = outcome(steady_clock::now(),
                           Error{ErrorCode::kInvalidArgument, "not a usable URL: " + url()});
    return;
  }
  plan_metrics_urls();
  const std::weak_ptr<MemberWatch> self = weak_from_this();
  const etcd::Link* link = link_.get();
  link_->start([self, link](const etcd::LinkEvent& event) {
    if (const auto watch = self.lock()) watch->on_link(event, link);
  });
}

// May be cancelled and run again: a connection is forgotten only once it is closed.
Task<> MemberWatch::retire() {
  retired_ = true;
  if (link_) side_links_.push_back(std::exchange(link_, nullptr));
  if (metrics_get_) metrics_get_->close();
  if (node_get_) node_get_->close();
  while (!side_links_.empty()) {
    const auto link = side_links_.back();
    co_await close_side(link);
  }
}

void MemberWatch::update(WatchTarget target) {
  facts_.entry = std::move(target.entry);
  configured_ = target.configured;
  if (target.urls == urls_) return;
  const std::string current = urls_.empty() ? std::string() : url();
  urls_ = std::move(target.urls);
  const auto same = std::ranges::find(urls_, current);
  if (same != urls_.end()) {
    url_index_ = static_cast<std::size_t>(same - urls_.begin());
    plan_metrics_urls();
    return;
  }
  url_index_ = 0;
  if (!urls_.empty()) rotate();
}

// Leaves the present link for the one at url_index_.
void MemberWatch::rotate() {
  if (retired_) return;
  if (const auto old = std::exchange(link_, nullptr)) {
    side_links_.push_back(old);
    context_.scope.spawn("close link", shared_from_this(), close_side(old));
  }
  open_link();
}

Task<> MemberWatch::close_side(LinkPtr link) {
  co_await link->close();
  std::erase(side_links_, link);
}

// Status over a connection that is made for it, and closed afterwards.
Task<Result<model::StatusSample>> MemberWatch::ask_aside(LinkPtr link, Deadline deadline) {
  side_links_.push_back(link);
  auto status = co_await link->client().status(deadline);
  co_await close_side(link);
  co_return status;
}

void MemberWatch::on_link(const etcd::LinkEvent& event, const etcd::Link* link) {
  if (retired_ || link != link_.get()) return;
  using State = model::LinkFacts::State;
  auto& facts = facts_.link;
  switch (event.what) {
    case etcd::LinkEvent::What::kConnecting:
      facts.state = State::kConnecting;
      break;
    case etcd::LinkEvent::What::kUp:
      facts.state = State::kUp;
      facts.last_up = event.at;
      facts.failures = 0;
      ++facts.connects;
      collect_certificates();
      break;
    case etcd::LinkEvent::What::kFailed:
      facts.state = State::kDown;
      facts.last_error = event.error;
      ++facts.failures;
      context_.failed(url(), event.error);
      if (urls_.size() > 1) {
        url_index_ = (url_index_ + 1) % urls_.size();
        rotate();
      }
      break;
    case etcd::LinkEvent::What::kEnded:
      facts.state = State::kDown;
      facts.last_error = event.error;
      facts.last_ended = event.at;
      break;
  }
  facts.since = event.at;
  context_.changed(event.what == etcd::LinkEvent::What::kConnecting ? Urgency::kSoon
                                                                    : Urgency::kNow);
}

bool MemberWatch::answering() const {
  return facts_.pulse && (facts_.pulse->ok() || facts_.pulse->error->cause == Cause::kNone);
}

Task<bool> MemberWatch::pulse() {
  const auto link = link_;
  if (!link || facts_.asked_since) co_return false;
  const auto sent = steady_clock::now();
  const auto deadline = sent + kPulseDeadline;
  facts_.asked_since = sent;
  const auto status = co_await link->client().status(deadline);
  facts_.asked_since.reset();
  if (retired_ || link != link_) co_return false;
  if (status) {
    on_status(*status);
  } else {
    if (is_ours(status.error())) co_return false;
    if (came_late(status.error(), deadline)) co_return true;
    on_missed(status.error(), sent, steady_clock::now());
  }
  context_.changed(Urgency::kSoon);
  co_return false;
}

void MemberWatch::on_status(const model::StatusSample& sample) {
  context_.answered(url(), sample);
  const bool stranger = !facts_.entry.id.none() && sample.member_id != facts_.entry.id;
  strangers_ = stranger ? strangers_ + 1 : 0;
  if (stranger && strangers_ < urls_.size()) {
    // Such as behind a load balancer: it may answer at another of its URLs.
    url_index_ = (url_index_ + 1) % urls_.size();
    rotate();
    return;
  }
  facts_.pulse = model::ProbeOutcome{sample.sent, sample.received, std::nullopt};
  facts_.missed = 0;
  facts_.second_probe.reset();
  facts_.answered_by = stranger ? sample.member_id : MemberId{};
  facts_.answered_cluster = stranger ? sample.cluster_id : ClusterId{};
  if (stranger) {
    facts_.status.reset();
    if (urls_.size() > 1) {
      url_index_ = (url_index_ + 1) % urls_.size();
      rotate();
    }
    return;
  }
  if (!facts_.status || facts_.status->leader != sample.leader ||
      facts_.status->raft_term != sample.raft_term) {
    leader_view_changed_ = facts_.status.has_value();
  }
  metrics_.on_probe(ProbeKind::kStatus, sample.rtt(), sample.received);
  facts_.status = sample;
  ++facts_.answers;
}

void MemberWatch::on_missed(const Error& error, SteadyTime sent, SteadyTime now) {
  facts_.pulse = model::ProbeOutcome{sent, now, error};
  if (error.cause == Cause::kNone) {
    // It answered, if only to refuse: alive.
    facts_.missed = 0;
    return;
  }
  ++facts_.missed;
  context_.failed(url(), error);
  if (facts_.missed != 1 || error.cause != Cause::kTimeout) return;
  context_.scope.spawn("second probe", shared_from_this(), second_probe());
  context_.scope.spawn("urgent scrape", shared_from_this(), scrape(milliseconds(1'500)));
}

Task<> MemberWatch::second_probe() {
  if (probing_ || !link_) co_return;
  probing_ = true;
  const auto main = link_;
  const auto link = make_link(url());
  const auto sent = steady_clock::now();
  const auto status = co_await ask_aside(link, sent + kPulseDeadline);
  probing_ = false;
  if (retired_ || main != link_ || facts_.missed == 0) co_return;
  facts_.second_probe = outcome(sent, error_of(status));
  // The member answers newcomers: only the old connection is dead.
  if (status) link_->reconnect();
  context_.changed(Urgency::kNow);
}

Task<> MemberWatch::health_check() {
  const auto link = link_;
  if (!link) co_return;
  std::vector<Task<>> questions;
  if (!facts_.entry.learner) {
    questions.push_back(read_local_members(link));
    questions.push_back(linearizable_read());
  }
  questions.push_back(read(link, etcd::Consistency::kSerializable));
  co_await async::when_all(std::move(questions));
  if (context_.options.write_probe && !facts_.entry.learner) co_await write_probe();
  co_await check_advertised();
  collect_certificates();
}

Task<> MemberWatch::read_local_members(LinkPtr link) {
  const auto reply = co_await link->client().member_list(
      etcd::Consistency::kSerializable, steady_clock::now() + std::chrono::seconds(2));
  if (!reply || retired_) co_return;
  if (reply->header.member_id != facts_.entry.id && !facts_.entry.id.none()) co_return;
  facts_.local_members = reply->members;
  facts_.local_members_at = steady_clock::now();
}

Task<> MemberWatch::linearizable_read() {
  const auto link = link_;
  if (!link || reading_ || facts_.entry.learner) co_return;
  reading_ = true;
  co_await read(link, etcd::Consistency::kLinearizable);
  reading_ = false;
}

Task<> MemberWatch::read(LinkPtr link, etcd::Consistency consistency) {
  const bool linearizable = consistency == etcd::Consistency::kLinearizable;
  const auto sent = steady_clock::now();
  const auto deadline =
      sent + std::max<milliseconds>(milliseconds(2'000), 2 * context_.options.election_timeout);
  etcd::RangeRequest request{
      .key = std::string(kProbeKey), .limit = 1, .consistency = consistency, .keys_only = true};
  const auto reply = co_await link->client().range(std::move(request), deadline);
  if (retired_ || link != link_) co_return;
  if (!reply && (is_ours(reply.error()) || came_late(reply.error(), deadline))) co_return;
  auto& slot = linearizable ? facts_.linearizable_read : facts_.serializable_read;
  slot = outcome(sent, error_of(reply));
  if (reply)
    metrics_.on_probe(linearizable ? ProbeKind::kLinearizableRead : ProbeKind::kSerializableRead,
                      slot->rtt(), slot->finished);
  context_.changed(Urgency::kSoon);
}

Task<> MemberWatch::write_probe() {
  const auto link = link_;
  if (!link || write_probe_off_) co_return;
  const auto sent = steady_clock::now();
  const auto deadline =
      sent + std::max<milliseconds>(milliseconds(2'000), 2 * context_.options.election_timeout);
  const auto reply = co_await link->client().write_probe(std::string(kWriteProbeKey), deadline);
  if (retired_ || link != link_) co_return;
  facts_.write_probe = outcome(sent, error_of(reply));
  if (reply) {
    metrics_.on_probe(ProbeKind::kWrite, facts_.write_probe->rtt(), facts_.write_probe->finished);
  } else if (etcd::is_no_space(reply.error()) || etcd::is_not_authorised(reply.error())) {
    write_probe_off_ = true;
    logger_.warn("write probe turned off",
                 {{"endpoint", facts_.endpoint}, {"why", reply.error().message}});
  }
}

Task<> MemberWatch::check_advertised() {
  if (!configured_ || facts_.entry.client_urls.empty() || !link_) co_return;
  const auto now = steady_clock::now();
  const bool same_urls = advertised_checked_ == facts_.entry.client_urls;
  if (same_urls && !(facts_.fallback && now - advertised_checked_at_ > kAdvertisedAgain)) co_return;
  advertised_checked_ = facts_.entry.client_urls;
  advertised_checked_at_ = now;
  const auto used = facts_.endpoint;
  std::string why;
  bool reached = false;
  for (const auto& advertised : std::vector<std::string>(facts_.entry.client_urls)) {
    if (same_authority(advertised, used)) {
      reached = true;
    } else {
      co_await try_connect(advertised, reached, why);
    }
    if (reached) break;
  }
  if (retired_) co_return;
  facts_.fallback = !reached;
  facts_.fallback_why = reached ? std::string() : why;
  context_.changed(Urgency::kSoon);
}

Task<> MemberWatch::try_connect(std::string url, bool& reached, std::string& why) {
  const std::string endpoint = facts_.endpoint;
  const auto link = make_link(url);
  facts_.endpoint = endpoint;
  if (!link) {
    why = "advertised client URL " + url + " is not a usable URL";
    co_return;
  }
  const auto status = co_await ask_aside(link, steady_clock::now() + context_.options.dial_timeout);
  if (!status && status.error().cause != Cause::kNone) {
    why = fmt::format("advertised client URL {}: {}", url, status.error().message);
  } else if (status && status->member_id != facts_.entry.id) {
    why = fmt::format("advertised client URL {} leads to another member ({})", url,
                      to_hex(status->member_id));
  } else {
    reached = true;
  }
}

Task<Result<model::HashSample>> MemberWatch::hash(std::int64_t revision, Deadline deadline) {
  const auto link = link_;
  if (!link) co_return Error{ErrorCode::kUnavailable, "no connection", Cause::kLocal};
  auto client = link->client_as(context_.privileged_tokens);
  const auto reply = co_await client.hash_kv(revision, deadline);
  if (!reply) co_return reply.error();
  co_return model::HashSample{steady_clock::now(),
                              revision != 0 ? revision : reply->header.revision,
                              reply->compact_revision, reply->hash};
}

Task<Result<etcd::MemberListReply>> MemberWatch::quorum_members(Deadline deadline) {
  const auto link = link_;
  if (!link) co_return Error{ErrorCode::kUnavailable, "no connection", Cause::kLocal};
  co_return co_await link->client().member_list(etcd::Consistency::kLinearizable, deadline);
}

Task<Result<etcd::AlarmReply>> MemberWatch::alarms(Deadline deadline) {
  const auto link = link_;
  if (!link) co_return Error{ErrorCode::kUnavailable, "no connection", Cause::kLocal};
  co_return co_await link->client().alarm_list(deadline);
}

void MemberWatch::record_hash(const model::HashSample& sample) {
  constexpr std::size_t kKept = 8;
  facts_.hash = sample;
  facts_.hash_history.push_back(sample);
  if (facts_.hash_history.size() > kKept) facts_.hash_history.erase(facts_.hash_history.begin());
}

}  // namespace etcdmon::collect
