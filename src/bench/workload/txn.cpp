#include "bench/workload/guarded.hpp"
#include "bench/workload/kinds.hpp"

namespace etcdmon::bench {

namespace {

/// Compare-and-swap until it succeeds. With `read_first` every operation begins with a read, as
/// software transactions do; else it begins with what the client knew last.
class Swap final : public Workload {
 public:
  Swap(const RunSpec& spec, Share share, bool read_first)
      : shape_(spec.shape),
        read_first_(read_first),
        random_(spec.seed * 59 + share.worker),
        key_(spec),
        values_(spec.values, spec.seed) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kSwap[] = {{"txn"}, {"conflict", false}};
    static constexpr OperationKind kLock[] = {{"lock"}, {"conflict", false}};
    return read_first_ ? kLock : kSwap;
  }

  Request begin(Client& client, Body& body) override {
    auto& group = client.memory[kGroup];
    const auto before = group;
    group = shape_.contended == 0 ? client.number : random_.below(shape_.contended);
    if (group != before) client.memory[kRevision] = 0;
    if (!read_first_) return attempt(client, body);
    client.memory[kReading] = 1;
    body.clear();
    body.text(1, key_(group * shape_.txn_ops));
    return {.path = path::kRange};
  }

  Meaning answered(Client& client, std::span<const std::byte> message) override {
    if (client.memory[kReading] != 0) {
      client.memory[kReading] = 0;
      client.memory[kRevision] = first_revision(message);
      return Meaning::again();
    }
    const auto reply = Guarded::read(message);
    client.memory[kRevision] = reply.revision;
    return reply.written ? Meaning::done() : Meaning::again_after(kConflict);
  }

  Request go_on(Client& client, Body& body) override { return attempt(client, body); }

 private:
  static constexpr std::uint8_t kConflict = 1;
  enum Memory : std::size_t { kGroup, kRevision, kReading };

  // All keys of a group are written together, so that one revision stands for all.
  Request attempt(Client& client, Body& body) {
    const auto first = client.memory[kGroup] * shape_.txn_ops;
    Guarded guarded(body);
    for (std::uint32_t i = 0; i < shape_.txn_ops; ++i)
      guarded.compare(key_(first + i), client.memory[kRevision]);
    for (std::uint32_t i = 0; i < shape_.txn_ops; ++i)
      guarded.put(key_(first + i), values_(random_));
    guarded.otherwise_get(key_(first));
    return {.path = path::kTxn};
  }

  Shape shape_;
  bool read_first_;
  Random random_;
  KeyText key_;
  Values values_;
};

}  // namespace

std::unique_ptr<Workload> make_txn(const RunSpec& spec, Share share) {
  return std::make_unique<Swap>(spec, share, false);
}

std::unique_ptr<Workload> make_lock(const RunSpec& spec, Share share) {
  return std::make_unique<Swap>(spec, share, true);
}

}  // namespace etcdmon::bench
