#include "bench/workload/kinds.hpp"
#include "bench/workload/watches.hpp"

namespace etcdmon::bench {

namespace {

/// A watch from the past on: an operation is from asking for it until the key's `events` past
/// events were read back. Then the watch is cancelled, which does not count.
class WatchGet final : public Workload {
 public:
  explicit WatchGet(const RunSpec& spec) : events_(spec.shape.events), key_(spec) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"watch-get"}};
    return kKinds;
  }

  Request begin(Client& client, Body& body) override {
    constexpr auto kStream = Request::Kind::kStream;
    auto& state = client.memory[kState];
    if (state == kAsking) {
      body.clear();
      body.text(1, key_(0));
      return {.path = path::kRange};
    }
    if (state == kOpen) {
      state = kCancelling;
      write_watch_cancel(body, client.number + 1);
      return {.path = path::kWatch, .kind = kStream};
    }
    state = kReading;
    client.memory[kSeen] = 0;
    write_watch_create(body, key_(0), {}, client.memory[kFirst], client.number + 1);
    return {.path = path::kWatch, .kind = kStream};
  }

  Meaning answered(Client& client, std::span<const std::byte> message) override {
    auto& state = client.memory[kState];
    if (state == kAsking) {
      client.memory[kFirst] = create_revision(message);
      if (client.memory[kFirst] == 0) return Meaning::failed(ErrorCode::kNotFound, kNoPast);
      state = kIdle;
      return Meaning::now_ready();
    }
    const auto reply = read_watch(message, [](std::span<const std::byte>) {});
    if (reply.canceled) {
      const bool ours = state == kCancelling;
      state = kIdle;
      return ours ? Meaning::now_ready() : Meaning::failed(ErrorCode::kOutOfRange, kNoPast);
    }
    if (state != kReading) return Meaning::wait();
    client.memory[kSeen] += reply.events;
    if (client.memory[kSeen] < events_) return Meaning::wait();
    state = kOpen;
    return Meaning::done();
  }

  void lost(Client& client) override {
    if (client.memory[kState] != kAsking) client.memory[kState] = kIdle;
  }

 private:
  enum Memory : std::size_t { kState, kFirst, kSeen };
  enum State : std::uint64_t { kAsking, kIdle, kReading, kOpen, kCancelling };
  static constexpr std::string_view kNoPast = "the key's past is not there: was it compacted away?";

  static std::uint64_t create_revision(std::span<const std::byte> message) {
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number != 2) continue;
      Fields kv(field->bytes);
      while (const auto part = kv.next()) {
        if (part->number == 2) return part->value;
      }
    }
    return 0;
  }

  std::uint64_t events_;
  KeyText key_;
};

}  // namespace

std::unique_ptr<Workload> make_watch_get(const RunSpec& spec, Share /*share*/) {
  return std::make_unique<WatchGet>(spec);
}

}  // namespace etcdmon::bench
