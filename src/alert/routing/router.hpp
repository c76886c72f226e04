// alert/routing/router.hpp: from alerts to notifications: groups, silences, inhibition,
// acknowledgement, escalation.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alert/routing/group.hpp"
#include "alert/routing/inhibit.hpp"
#include "alert/routing/route.hpp"
#include "alert/routing/silence.hpp"
#include "model/alert.hpp"
#include "model/notification.hpp"

namespace etcdmon::alert {

/// As it is told to people.
model::NotifiedAlert to_notified(const model::Alert& alert);

/// Decides who is told what, and when. What is still to be told follows from the state; what a step
/// tells and what it changes must be saved together, and in order.
///
/// A step looks only at groups that are due, so it costs nothing while nothing happens.
///
/// Pure but for its state. Threads: the loop only.
class Router {
 public:
  /// An expired silence is shown for so long.
  static constexpr std::chrono::hours kSilenceKept{24};

  explicit Router(RoutingOptions options);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Fired, changed, resolved; pending ones are nobody's business yet. After a restart, every alert
  /// that fires is told here again as kFiring: that is no news.
  void take(const model::AlertEvent& event, Now now);

  /// After restore() and the take() of all that fires: what was known to fire and is not among
  /// `active` has ended while nobody watched.
  void end_missing(const std::set<std::string>& active, Now now);

  /// What must be saved, by key; an empty group is gone.
  using GroupChanges = std::map<std::string, std::optional<Group>>;

  struct Step {
    std::vector<model::Notification> notifications;
    GroupChanges changed;
  };
  Step step(Now now);
  /// When step() has something to do, if nothing happens before.
  std::optional<SteadyTime> next_due() const;

  /// Gives it an id. Errors: kInvalidArgument: no matcher, or it ends before it starts, or is over.
  Result<Silence> add_silence(Silence silence, Now now);
  /// Ends it now. Errors: kNotFound.
  Result<Silence> expire_silence(std::string_view id, Now now);
  /// Also those to come, and those that ended within the last day; by start.
  std::vector<Silence> silences() const;
  /// Errors: kNotFound: no such alert fires.
  Result<void> acknowledge(Acknowledgement acknowledgement, Now now);
  const std::map<std::string, Acknowledgement>& acknowledgements() const {
    return acknowledgements_;
  }
  /// The deduplication keys of what people know to go on.
  std::vector<std::string> told_keys() const;
  /// Why nobody is told of this alert at this time: "silence 5f…", "inhibited by …", "mute time
  /// night"; empty where somebody is.
  std::string muted_by(std::string_view alert_id, WallTime at) const;

  /// What was saved, before the first take().
  void restore(std::vector<Group> groups, std::vector<Silence> silences,
               std::vector<Acknowledgement> acknowledgements, Now now);
  /// New routes: alerts that fire find their groups anew. What groups were told stays where the
  /// group's key is the same.
  void reload(RoutingOptions options, Now now);

 private:
  struct Known {
    model::Alert alert;
    std::set<std::string> groups;
  };

  void join(const Known& known, Now now, std::set<std::string>& groups);
  void leave(const std::string& alert_id, Now now);
  void end_in(const std::string& group_key, const std::string& alert_id, Now now);
  void wake(const std::string& group_key, SteadyTime at);
  void wake_all(Now now);
  void settle(const std::string& key, Now now, Step& step);
  std::string muted_by_route(const Route& route, WallTime at) const;
  std::string muted_by_labels(const Labels& labels, WallTime at) const;
  const Route* route_named(const std::string& name) const;

  RoutingOptions options_;
  std::map<std::string, const Route*> routes_;  ///< by name
  Inhibitor inhibitor_;
  std::map<std::string, Known, std::less<>> firing_;  ///< by alert id
  std::map<std::string, Group> groups_;               ///< by key
  std::set<std::pair<SteadyTime, std::string>> due_;
  std::map<std::string, SteadyTime> due_at_;
  std::set<std::string> touched_;  ///< groups that changed since the last step
  std::map<std::string, Silence, std::less<>> silences_;
  std::map<std::string, Acknowledgement> acknowledgements_;
  std::uint64_t silences_made_ = 0;
};

}  // namespace etcdmon::alert
