// app/watch_proof.hpp: whether this monitor really watches, and whom it believes to be at fault
// when it sees nothing.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "model/cluster_view.hpp"
#include "notify/heartbeat/heartbeat.hpp"

namespace etcdmon::app {

/// A cluster counts as watched while its rounds go on, whatever they bring.
///
/// Pure but for its memory of the last rounds. Threads: the loop only.
class WatchProof {
 public:
  /// One for each name; `views` has theirs, in the same order, null or of version 0 where there is
  /// none yet. `interval` is the time between two rounds.
  std::vector<notify::Pulse> look(const std::vector<std::string>& names,
                                  const std::vector<model::ClusterViewPtr>& views,
                                  Duration interval, SteadyTime now);

 private:
  struct Progress {
    std::uint64_t rounds = 0;
    std::optional<SteadyTime> health_check;
    SteadyTime at;  ///< when one of them last moved
  };

  std::map<std::string, Progress> progress_;
};

}  // namespace etcdmon::app
