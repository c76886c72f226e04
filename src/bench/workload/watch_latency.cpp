#include <utility>

#include "bench/workload/kinds.hpp"
#include "bench/workload/watches.hpp"

namespace etcdmon::bench {

namespace {

/// Puts by clients, and watchers that all hear of every one. What counts is the time from when a
/// put was due to its event at each watcher.
class WatchLatency final : public Workload {
 public:
  WatchLatency(const RunSpec& spec, Share share)
      : random_(spec.seed * 67 + share.worker),
        choose_(spec.keys, spec.keys.order.value_or(Keys::Order::kSequential), share),
        key_(spec),
        values_(spec.values, spec.seed),
        stamps_(spec.seed * 71 + share.run),
        prefix_(spec.prefix) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"event"}, {"put", false}};
    return kKinds;
  }

  Request begin(Client& client, Body& body) override {
    body.clear();
    body.text(1, key_(choose_(random_)));
    body.bytes(2, stamps_.stamp(values_(random_), client.due));
    return {.path = path::kPut, .operation = kPut};
  }
  Meaning answered(Client& client, std::span<const std::byte> /*message*/) override {
    if (client.measured) expected_ += listening_;
    return Meaning::done();
  }

  // After a lost connection it goes on where it was, as clients do.
  Request listen(Client& listener, Body& body) override {
    const auto seen = listener.memory[kRevision];
    write_watch_create(body, prefix_, key_.end(), seen == 0 ? 0 : seen + 1);
    return {.path = path::kWatch, .kind = Request::Kind::kStream};
  }
  void heard(Client& listener, std::span<const std::byte> message, Heard& to,
             SteadyTime now) override {
    const auto reply = read_watch(message, [&](std::span<const std::byte> value) {
      SteadyTime sent;
      if (stamps_.read(value, sent) && to.record(kEvent, sent, now)) ++heard_;
    });
    if (reply.created && std::exchange(listener.memory[kCreated], 1) == 0) ++listening_;
    if (reply.events == 0) return;
    if (const auto header = read_header(message))
      listener.memory[kRevision] = static_cast<std::uint64_t>(header->revision);
  }
  std::uint32_t listening() const override { return listening_; }

  // Other workers' puts are heard too: with several, this is the least.
  bool expects_more() const override { return heard_ < expected_; }
  Missing missing() const override {
    return {.operation = kEvent,
            .count = expected_ > heard_ ? expected_ - heard_ : 0,
            .why = "an event did not come to a watcher"};
  }

 private:
  static constexpr std::uint8_t kEvent = 0;
  static constexpr std::uint8_t kPut = 1;
  enum Memory : std::size_t { kRevision, kCreated };

  Random random_;
  KeyChooser choose_;
  KeyText key_;
  Values values_;
  Stamps stamps_;
  std::string prefix_;
  std::uint32_t listening_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t heard_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_watch_latency(const RunSpec& spec, Share share) {
  return std::make_unique<WatchLatency>(spec, share);
}

}  // namespace etcdmon::bench
