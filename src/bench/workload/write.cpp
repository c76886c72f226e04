#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

/// Also what fills in keys for the others, and all that scale is on the client's side.
class Write final : public Workload {
 public:
  Write(const RunSpec& spec, const Keys& keys, Keys::Order order, Share share)
      : puts_(spec, keys, order, share) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"write"}};
    return kKinds;
  }
  Request begin(Client& /*client*/, Body& body) override { return puts_.ask(body, 0); }
  Meaning answered(Client& /*client*/, std::span<const std::byte> /*message*/) override {
    return Meaning::done();
  }

 private:
  Puts puts_;
};

Keys with_space(Keys keys, std::uint64_t space) {
  keys.space = space;
  return keys;
}

}  // namespace

std::unique_ptr<Workload> make_write(const RunSpec& spec, Share share) {
  return std::make_unique<Write>(spec, spec.keys,
                                 spec.keys.order.value_or(Keys::Order::kSequential), share);
}

std::unique_ptr<Workload> make_scale(const RunSpec& spec, Share share) {
  return std::make_unique<Write>(spec, with_space(spec.keys, spec.ops), Keys::Order::kSequential,
                                 share);
}

std::unique_ptr<Workload> make_fill(const RunSpec& spec, Share share) {
  return std::make_unique<Write>(spec, spec.keys, Keys::Order::kSequential, share);
}

std::unique_ptr<Workload> make_one_key_fill(const RunSpec& spec, Share share) {
  return std::make_unique<Write>(spec, with_space(spec.keys, 1), Keys::Order::kSequential, share);
}

}  // namespace etcdmon::bench
