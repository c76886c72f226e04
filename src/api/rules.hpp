// api/rules.hpp: GET /api/v1/rules: every rule with its last value, its threshold and its data.
#pragma once

#include <string>
#include <vector>

#include "alert/engine.hpp"
#include "api/router.hpp"
#include "api/view_source.hpp"

namespace etcdmon::api {

/// Where the rules stand; the app implements it.
///
/// Threads: the loop only.
class RuleSource {
 public:
  virtual ~RuleSource() = default;
  /// Of one cluster, in their order; valid until anything else runs on the loop.
  virtual std::vector<alert::RuleStatus> rules(std::string_view cluster) const = 0;
};

/// `?cluster=NAME`; without it all clusters' rules.
///
/// Lifetime: outlives the router that it was added to; so do `rules` and `views`.
class Rules {
 public:
  Rules(const RuleSource& rules, const ViewSource& views) : rules_(rules), views_(views) {}

  void add_to(Router& router);

 private:
  net::Response answer(const net::Request& request, const Caller& caller) const;

  const RuleSource& rules_;
  const ViewSource& views_;
};

}  // namespace etcdmon::api
