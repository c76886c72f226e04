#include <utility>

#include "bench/workload/guarded.hpp"
#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"
#include "bench/workload/watches.hpp"

namespace etcdmon::bench {

namespace {

/// What API servers ask of etcd, all day long: objects are read one by one and listed in pages;
/// they are updated by transactions that fail when somebody else was first; nodes renew small
/// leases the same way; events are created and die with a lease of etcd; and everything is watched.
class Kubernetes final : public Workload {
 public:
  Kubernetes(const RunSpec& spec, Share share)
      : shape_(spec.shape),
        space_(spec.keys.space),
        nodes_(std::max<std::uint64_t>(space_ / kPodsOfANode, 1)),
        random_(spec.seed * 73 + share.worker),
        choose_(spec.keys, spec.keys.order.value_or(Keys::Order::kUniform), share),
        object_(spec),
        node_(spec, "leases/"),
        event_(spec, "events/"),
        values_(spec.values, spec.seed),
        small_({.kind = Sizes::Kind::kFixed, .min = 400, .max = 400}, spec.seed),
        stamps_(spec.seed * 71 + share.run),
        lease_(first_lease(share)),
        next_event_(share.worker),
        workers_(share.workers),
        prefix_(spec.prefix) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"get"},         {"list"},  {"update"},
                                               {"node-lease"},  {"event"}, {"conflict", false},
                                               {"watch", false}};
    return kKinds;
  }
  LeaseRange leases() const override { return {lease_, lease_asked_ ? 1ULL : 0ULL}; }

  Request begin(Client& client, Body& body) override {
    if (!lease_asked_) {
      lease_asked_ = true;
      client.memory[kStage] = kGranting;
      body.clear();
      body.number(1, static_cast<std::uint64_t>(shape_.lease_ttl.count()));
      body.number(2, lease_);
      return {.path = path::kLeaseGrant, .operation = kEvent};
    }
    const double dice = random_.unit();
    if (dice < 0.25) return get(client, body);
    if (dice < 0.30) return list(client, body);
    if (dice < 0.60) return update(client, kUpdate, choose_(random_), body);
    if (dice < 0.85 || !leased_) return update(client, kNodeLease, random_.below(nodes_), body);
    return create_event(client, body);
  }

  Meaning answered(Client& client, std::span<const std::byte> message) override {
    switch (client.memory[kStage]) {
      case kGranting:
        leased_ = true;
        return Meaning::now_ready();
      case kReading:
        return Gets::judge(message);
      case kKnowing:
        client.memory[kRevision] = first_revision(message);
        client.memory[kStage] = kSwapping;
        return Meaning::again();
      case kSwapping: {
        const auto reply = Guarded::read(message);
        if (reply.written) return Meaning::done();
        client.memory[kRevision] = reply.revision;
        return Meaning::again_after(kConflict);
      }
      default:
        return Meaning::done();
    }
  }

  Request go_on(Client& client, Body& body) override {
    if (client.memory[kStage] == kSwapping) return swap(client, body);
    return begin(client, body);
  }

  Request listen(Client& listener, Body& body) override {
    const auto seen = listener.memory[kRevision];
    write_watch_create(body, prefix_, object_.end(), seen == 0 ? 0 : seen + 1);
    return {.path = path::kWatch, .kind = Request::Kind::kStream};
  }
  void heard(Client& listener, std::span<const std::byte> message, Heard& to,
             SteadyTime now) override {
    const auto reply = read_watch(message, [&](std::span<const std::byte> value) {
      SteadyTime sent;
      if (stamps_.read(value, sent)) to.record(kWatch, sent, now);
    });
    if (reply.created && std::exchange(listener.memory[kStage], 1) == 0) ++listening_;
    if (reply.events == 0) return;
    if (const auto header = read_header(message))
      listener.memory[kRevision] = static_cast<std::uint64_t>(header->revision);
  }
  std::uint32_t listening() const override { return listening_; }

 private:
  static constexpr std::uint64_t kPodsOfANode = 50;
  enum Operation : std::uint8_t { kGet, kList, kUpdate, kNodeLease, kEvent, kConflict, kWatch };
  enum Memory : std::size_t { kStage, kRevision, kKey };
  enum Stage : std::uint64_t { kWriting, kGranting, kReading, kKnowing, kSwapping };

  Request get(Client& client, Body& body) {
    client.memory[kStage] = kReading;
    body.clear();
    body.text(1, object_(choose_(random_)));
    return {.path = path::kRange, .operation = kGet};
  }

  Request list(Client& client, Body& body) {
    client.memory[kStage] = kReading;
    body.clear();
    body.text(1, object_(choose_(random_)));
    body.text(2, object_.end());
    body.number(3, shape_.limit);
    return {.path = path::kRange, .operation = kList};
  }

  // An API server knows the object from its watch cache; here it reads first.
  Request update(Client& client, Operation operation, std::uint64_t key, Body& body) {
    client.memory[kStage] = kKnowing;
    client.memory[kKey] = key;
    body.clear();
    body.text(1, operation == kUpdate ? object_(key) : node_(key));
    return {.path = path::kRange, .operation = operation};
  }

  Request swap(Client& client, Body& body) {
    const bool object = client.operation == kUpdate;
    const auto key = object ? object_(client.memory[kKey]) : node_(client.memory[kKey]);
    Guarded guarded(body);
    guarded.compare(key, client.memory[kRevision]);
    guarded.put(key, stamps_.stamp(object ? values_(random_) : small_(random_), client.due));
    guarded.otherwise_get(key);
    return {.path = path::kTxn, .operation = client.operation};
  }

  Request create_event(Client& client, Body& body) {
    client.memory[kStage] = kSwapping;
    const auto key = event_(next_event_);
    next_event_ += workers_;
    Guarded guarded(body);
    guarded.compare(key, 0);
    guarded.put(key, stamps_.stamp(small_(random_), client.due), lease_);
    return {.path = path::kTxn, .operation = kEvent};
  }

  Shape shape_;
  std::uint64_t space_;
  std::uint64_t nodes_;
  Random random_;
  KeyChooser choose_;
  KeyText object_;
  KeyText node_;
  KeyText event_;
  Values values_;
  Values small_;
  Stamps stamps_;
  std::uint64_t lease_;
  std::uint64_t next_event_;
  std::uint64_t workers_;
  std::string prefix_;
  bool lease_asked_ = false;
  bool leased_ = false;
  std::uint32_t listening_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_kubernetes(const RunSpec& spec, Share share) {
  return std::make_unique<Kubernetes>(spec, share);
}

}  // namespace etcdmon::bench
