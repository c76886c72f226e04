#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

/// Transactions without a condition, of `txn_ops` reads or as many writes.
class TxnMixed final : public Workload {
 public:
  TxnMixed(const RunSpec& spec, Share share)
      : shape_(spec.shape),
        random_(spec.seed * 61 + share.worker),
        choose_(spec.keys, spec.keys.order.value_or(Keys::Order::kUniform), share),
        space_(spec.keys.space),
        key_(spec),
        values_(spec.values, spec.seed) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"read"}, {"write"}};
    return kKinds;
  }

  Request begin(Client& /*client*/, Body& body) override {
    const bool read = random_.chance(shape_.reads);
    // Neighbours, since etcd refuses one key twice in a transaction.
    const auto first = choose_(random_);
    body.clear();
    for (std::uint32_t i = 0; i < shape_.txn_ops && i < space_; ++i) {
      const auto key = key_((first + i) % space_);
      const auto success = body.begin(2);
      const auto request = body.begin(read ? 1 : 2);
      body.text(1, key);
      if (!read) body.bytes(2, values_(random_));
      if (read) body.number(7, shape_.serializable ? 1 : 0);
      body.end(request);
      body.end(success);
    }
    return {.path = path::kTxn, .operation = read ? kRead : kWrite};
  }

  Meaning answered(Client& client, std::span<const std::byte> message) override {
    std::uint32_t responses = 0;
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number != 3) continue;
      ++responses;
      if (client.operation == kRead && !found(field->bytes))
        return Meaning::failed(ErrorCode::kNotFound, kGone);
    }
    return responses > 0
               ? Meaning::done()
               : Meaning::failed(ErrorCode::kInternal, "a transaction was answered with nothing");
  }

 private:
  static constexpr std::uint8_t kRead = 0;
  static constexpr std::uint8_t kWrite = 1;

  static bool found(std::span<const std::byte> response) {
    Fields fields(response);
    while (const auto field = fields.next()) {
      if (field->number == 1) return Gets::judge(field->bytes).kind == Meaning::Kind::kDone;
    }
    return false;
  }

  Shape shape_;
  Random random_;
  KeyChooser choose_;
  std::uint64_t space_;
  KeyText key_;
  Values values_;
};

}  // namespace

std::unique_ptr<Workload> make_txn_mixed(const RunSpec& spec, Share share) {
  return std::make_unique<TxnMixed>(spec, share);
}

}  // namespace etcdmon::bench
