// app/cluster_options.hpp: from settings to what a cluster's parts are made of.
#pragma once

#include <string>
#include <vector>

#include "app/cluster_context.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"

namespace etcdmon::app {

/// Reads certificates. `warnings` gets what an operator should know, such as skipped verification.
/// Errors: kInvalidArgument with the file's name.
Result<ClusterOptions> cluster_options(const Settings& settings, const ClusterSettings& cluster,
                                       std::vector<std::string>& warnings);

alert::Thresholds to_thresholds(const ThresholdSettings& settings);

}  // namespace etcdmon::app
