// api/metrics_history.hpp: GET /api/v1/metrics/history: a metric over time, as JSON or CSV.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/router.hpp"
#include "api/view_source.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "store/history/history_log.hpp"

namespace etcdmon::api {

/// `?metric=NAME&from=&to=&step=&member=&cluster=&format=json|csv`. Times are RFC 3339, or a
/// duration before now ("24h"); without them the last hour is told, in 300 steps or fewer.
///
/// Threads:  the loop only.
/// Lifetime: outlives the router that it was added to; so do `views`, `clock` and `log`.
class MetricsHistory {
 public:
  /// `log` is null where no history is kept: every question is then answered with 404 and why.
  MetricsHistory(store::HistoryLog* log, const ViewSource& views, const Clock& clock)
      : log_(log), views_(views), clock_(clock) {}

  void add_to(Router& router);

 private:
  Task<net::Response> answer(const net::Request& request, const Caller& caller);
  Result<store::HistoryRange> read(const net::Request& request, std::string cluster) const;
  Result<MemberId> member(std::string_view text, std::string_view cluster) const;

  store::HistoryLog* log_;
  const ViewSource& views_;
  const Clock& clock_;
};

}  // namespace etcdmon::api
