// collect/member_watch.hpp: asks one member, and keeps what it said.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_scope.hpp"
#include "collect/membership.hpp"
#include "collect/options.hpp"
#include "collect/scrape/member_metrics.hpp"
#include "collect/scrape/wanted_series.hpp"
#include "etcd/link.hpp"
#include "model/cluster_view.hpp"
#include "model/member.hpp"
#include "net/http_get.hpp"

namespace etcdmon::collect {

/// How soon the pipeline should look at what changed.
enum class Urgency : std::uint8_t { kSoon, kNow };

/// What every watch of a cluster shares; owned by the collector, which outlives its watches.
struct WatchContext {
  Executor executor;
  net::Resolver& resolver;
  CollectOptions options;
  std::shared_ptr<etcd::TokenSource> tokens;
  /// For HashKV; the same as `tokens` where there is no second credential.
  std::shared_ptr<etcd::TokenSource> privileged_tokens;
  Logger logger;
  async::TaskScope& scope;

  std::function<void(Urgency)> changed;
  /// An endpoint answered Status, or failed to. Called for every pulse.
  std::function<void(const std::string& url, const model::StatusSample& sample)> answered;
  std::function<void(const std::string& url, const Error& error)> failed;
};

/// The questions to one member, each with its own deadline, each at most once under way.
///
/// A pulse unanswered for 900 ms counts as missed, and brings a second probe on a new connection
/// and a scrape at once, so that "hung" and "busy" can be told apart.
///
/// Threads:  the loop only.
/// Lifetime: whoever runs a question holds a shared_ptr until it has ended; retire() when it is not
/// wanted any more.
class MemberWatch : public std::enable_shared_from_this<MemberWatch> {
 public:
  static constexpr std::chrono::milliseconds kPulseDeadline{900};
  /// Lateness of this process above which a missing answer is blamed on us.
  static constexpr std::chrono::milliseconds kOwnLag{225};

  MemberWatch(WatchContext& context, WatchTarget target);
  ~MemberWatch();

  void start();
  /// Closes the connections; questions under way end as cancelled.
  Task<> retire();
  /// New facts of the member list; a changed list of URLs takes effect when the present one fails.
  void update(WatchTarget target);

  /// True when the result was thrown away because this process was late.
  Task<bool> pulse();
  Task<> health_check();
  Task<> linearizable_read();
  Task<> write_probe();
  Task<> scrape(std::chrono::milliseconds timeout);
  Task<> scrape_node(std::chrono::milliseconds timeout);
  /// Looks once for each list of URLs whether the advertised client URLs can be reached, where a
  /// configured endpoint is used instead.
  Task<> check_advertised();
  /// HashKV at `revision` (0: the latest), with the privileged credential if there is one.
  Task<Result<model::HashSample>> hash(std::int64_t revision, Deadline deadline);
  /// The member list through quorum (3.5+; on 3.4 this member's own).
  Task<Result<etcd::MemberListReply>> quorum_members(Deadline deadline);
  Task<Result<etcd::AlarmReply>> alarms(Deadline deadline);

  const model::MemberFacts& facts() const { return facts_; }
  MemberId id() const { return facts_.entry.id; }
  const std::string& url() const { return urls_[url_index_]; }
  bool has_url() const { return !urls_.empty(); }
  bool busy() const { return facts_.asked_since.has_value(); }
  /// The last pulse got through to the member, whatever it said.
  bool answering() const;
  /// Set by pulse() when the member's view of leader or term changed; cleared by the call.
  bool take_leader_view_changed() { return std::exchange(leader_view_changed_, false); }
  model::MemberView view(Now now) const { return metrics_.view(now, facts_.status); }
  void record_hash(const model::HashSample& sample);
  /// Other lines of the pages are kept for rules from the next page on.
  void want(WantedPtr wanted) { wanted_.want(std::move(wanted)); }
  const WantedSeries& wanted() const { return wanted_; }

 private:
  using LinkPtr = std::shared_ptr<etcd::Link>;

  LinkPtr make_link(const std::string& url);
  void open_link();
  void rotate();
  Task<> close_side(LinkPtr link);
  Task<Result<model::StatusSample>> ask_aside(LinkPtr link, Deadline deadline);
  void on_link(const etcd::LinkEvent& event, const etcd::Link* link);
  void on_status(const model::StatusSample& sample);
  void on_missed(const Error& error, SteadyTime sent, SteadyTime now);
  Task<> second_probe();
  Task<> read_local_members(LinkPtr link);
  Task<> read(LinkPtr link, etcd::Consistency consistency);
  Task<std::optional<Error>> fetch_metrics(std::size_t candidate, Deadline deadline);
  void keep_wanted(std::string_view page);
  void plan_metrics_urls();
  void collect_certificates();
  Task<> try_connect(std::string url, bool& reached, std::string& why);

  WatchContext& context_;
  Logger logger_;
  model::MemberFacts facts_;
  MemberMetrics metrics_;
  WantedSeries wanted_;

  std::vector<std::string> urls_;
  std::size_t url_index_ = 0;
  std::size_t strangers_ = 0;  ///< URLs in a row at which somebody else answered
  bool configured_ = false;
  LinkPtr link_;
  std::vector<LinkPtr> side_links_;  ///< not yet closed: of probes, and left for another URL

  std::vector<std::string> metrics_urls_;
  std::size_t metrics_index_ = 0;
  std::unique_ptr<net::HttpGet> metrics_get_;
  std::string metrics_get_url_;
  std::unique_ptr<net::HttpGet> node_get_;

  std::vector<std::string> advertised_checked_;
  SteadyTime advertised_checked_at_;
  bool reading_ = false;
  bool scraping_ = false;
  bool probing_ = false;
  bool retired_ = false;
  bool leader_view_changed_ = false;
  bool write_probe_off_ = false;
};

}  // namespace etcdmon::collect
