#include "kit/watched.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "net/tls.hpp"

namespace etcdmon::kit {

Condition has(model::Check check, std::string subject) {
  return [check, subject = std::move(subject)](const model::ClusterView& view) {
    return std::ranges::any_of(view.assessment.verdicts, [&](const model::Verdict& verdict) {
      return verdict.check == check && (subject.empty() || verdict.subject == subject);
    });
  };
}

Condition healthy() {
  return [](const model::ClusterView& view) { return view.assessment.healthy.value_or(false); };
}

Condition all_well(std::size_t members) {
  return [members](const model::ClusterView& view) {
    const auto& assessment = view.assessment;
    return assessment.healthy.value_or(false) && assessment.members.size() == members &&
           assessment.leader.leader &&
           std::ranges::all_of(
               assessment.members,
               [](const auto& member) { return member.reach == model::Reach::kReachable; }) &&
           std::ranges::all_of(assessment.verdicts, [](const auto& verdict) {
             return verdict.severity == model::Severity::kInfo;
           });
  };
}

Condition reach_is(std::string member, model::Reach reach) {
  return [member = std::move(member), reach](const model::ClusterView& view) {
    return std::ranges::any_of(view.assessment.members,
                               [&](const auto& m) { return m.name == member && m.reach == reach; });
  };
}

Condition both(Condition a, Condition b) {
  return [a = std::move(a), b = std::move(b)](const model::ClusterView& view) {
    return a(view) && b(view);
  };
}

Condition no(Condition condition) {
  return [condition = std::move(condition)](const model::ClusterView& view) {
    return !condition(view);
  };
}

// Keeps what was logged as an error.
class Watched::Sink final : public log::Sink {
 public:
  void write(log::Level level, std::string_view message, const std::vector<log::Field>& bound,
             std::initializer_list<log::Field> fields) override {
    if (level != log::Level::kError) return;
    const std::lock_guard lock(mutex_);
    errors_.push_back(log::format_line(log::Format::kConsole, "", level, message, bound, fields));
  }
  bool enabled(log::Level level) const override { return level == log::Level::kError; }
  void set_level(log::Level /*level*/) override {}
  void flush() override {}
  std::vector<std::string> errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    errors_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> errors_;
};

namespace {

Task<bool> close_all(app::ClusterContext& cluster, async::TaskScope& scope) {
  co_await cluster.stop();
  co_await scope.close();
  co_return true;
}

}  // namespace

Watched::Watched(const Options& options) : sink_(std::make_shared<Sink>()) {
  app::ClusterOptions made;
  made.collect.cluster = "test";
  made.collect.endpoints = options.endpoints;
  made.collect.health_check_interval = std::chrono::seconds(5);
  made.collect.metrics_interval = std::chrono::seconds(5);
  auto tls = net::TlsContext::client({});
  if (!tls) throw std::runtime_error(tls.error().message);
  made.collect.tls = *tls;
  if (options.adjust) options.adjust(made);

  thread_.call([&] {
    const Logger logger(sink_);
    resolver_ = std::make_unique<net::Resolver>(thread_.executor());
    schedule_ = std::make_unique<collect::Schedule>(thread_.executor());
    scope_ = std::make_unique<async::TaskScope>(thread_.executor(), logger);
    cluster_ = std::make_unique<app::ClusterContext>(thread_.executor(), *resolver_, *schedule_,
                                                     std::move(made), logger);
    scope_->spawn("schedule", schedule_->run());
    app::ClusterContext::Listener listener;
    listener.on_view = [this](const model::ClusterViewPtr& view) { record(view); };
    listener.on_event = [this](const model::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.emplace_back(Clock::now(), event);
    };
    listener.on_alert = [this](const model::AlertEvent& event) {
      const std::lock_guard lock(mutex_);
      alerts_.emplace_back(Clock::now(), event);
    };
    cluster_->start(std::move(listener));
  });
}

Watched::~Watched() {
  stop();
}

Watched::Milliseconds Watched::stop() {
  if (stopped_) return Milliseconds(0);
  stopped_ = true;
  const auto began = Clock::now();
  thread_.run(close_all(*cluster_, *scope_));
  const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - began);
  thread_.call([this] {
    cluster_.reset();
    scope_.reset();
    schedule_.reset();
    resolver_.reset();
  });
  return took;
}

void Watched::record(const model::ClusterViewPtr& view) {
  const std::lock_guard lock(mutex_);
  view_ = view;
  for (const auto& verdict : view->assessment.verdicts) {
    if (verdict.severity == model::Severity::kInfo) continue;
    said_.try_emplace(fmt::format("{} {}", model::name_of(verdict.check), verdict.subject),
                      Clock::now());
  }
  changed_.notify_all();
}

model::ClusterViewPtr Watched::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void Watched::mark() {
  const std::lock_guard lock(mutex_);
  marked_ = Clock::now();
  said_.clear();
  events_.clear();
  alerts_.clear();
  sink_->forget();
}

Watched::Milliseconds Watched::until(const Condition& condition, Milliseconds patience,
                                     const std::string& what) {
  std::unique_lock lock(mutex_);
  const bool met = changed_.wait_for(lock, patience, [&] { return view_ && condition(*view_); });
  const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - marked_);
  lock.unlock();
  if (!met)
    throw std::runtime_error(
        fmt::format("not within {} ms: {}\n{}", patience.count(), what, story()));
  return took;
}

void Watched::stays(const Condition& condition, Milliseconds time, const std::string& what) {
  std::unique_lock lock(mutex_);
  const bool broken = changed_.wait_for(lock, time, [&] { return view_ && !condition(*view_); });
  lock.unlock();
  if (broken) throw std::runtime_error(fmt::format("did not last: {}\n{}", what, story()));
}

std::set<std::string> Watched::said() const {
  return said_besides({});
}

std::set<std::string> Watched::said_besides(const std::set<std::string>& kinds) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [text, at] : said_) {
    if (!kinds.contains(text.substr(0, text.find(' ')))) out.insert(text);
  }
  return out;
}

std::vector<model::Event> Watched::events() const {
  const std::lock_guard lock(mutex_);
  std::vector<model::Event> out;
  for (const auto& [at, event] : events_) out.push_back(event);
  return out;
}

std::set<std::string> Watched::alerts_fired() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [at, event] : alerts_) {
    const bool pages = event.alert.severity >= model::Severity::kWarning;
    if (pages && event.what != model::AlertEvent::What::kPending &&
        event.what != model::AlertEvent::What::kResolved)
      out.insert(event.alert.rule);
  }
  return out;
}

std::vector<std::string> Watched::errors_logged() const {
  return sink_->errors();
}

std::string Watched::story() const {
  const std::lock_guard lock(mutex_);
  const auto since = [this](Clock::time_point at) {
    return std::chrono::duration_cast<Milliseconds>(at - marked_).count();
  };
  std::string out = "since the mark:\n";
  for (const auto& [text, at] : said_)
    out += fmt::format("  {:>6} ms verdict {}\n", since(at), text);
  for (const auto& [at, event] : events_)
    out += fmt::format("  {:>6} ms event {}\n", since(at), event.text);
  for (const auto& error : sink_->errors()) out += fmt::format("  logged: {}\n", error);
  if (!view_) return out + "no view yet\n";
  out += fmt::format(
      "now, {} ms: healthy={}\n", since(Clock::now()),
      view_->assessment.healthy ? (*view_->assessment.healthy ? "yes" : "no") : "unknown");
  for (const auto& member : view_->assessment.members) {
    out += fmt::format("  {} {} {} ({})\n", to_hex(member.id), member.name,
                       model::name_of(member.reach), member.reason);
  }
  for (const auto& facts : view_->observation.members) {
    const auto age = [&](SteadyTime at) {
      return std::chrono::duration_cast<Milliseconds>(view_->observation.at.steady - at).count();
    };
    out += fmt::format("  {} at {}: ", facts.entry.name, facts.endpoint);
    out += facts.metrics ? fmt::format("page {} ms old", age(facts.metrics->at)) : "no page yet";
    if (facts.scrape && facts.scrape->error)
      out += fmt::format(" ({})", facts.scrape->error->message);
    if (facts.metrics) {
      for (const auto& peer : facts.metrics->peers)
        out += fmt::format(", {} active={} disconnected={}", to_hex(peer.id),
                           peer.active.value_or(-1), peer.disconnected_total);
    }
    out += "\n";
  }
  for (const auto& verdict : view_->assessment.verdicts) {
    out += fmt::format("  {} {}: {} [{}]\n", model::name_of(verdict.severity),
                       model::name_of(verdict.check), verdict.summary, verdict.detail);
  }
  return out;
}

}  // namespace etcdmon::kit
