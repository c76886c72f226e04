// The peer of a gRPC session means harm: whatever frames it sends, in whatever moment and however
// the bytes are split, no call is lost or told twice, and all end when the session does.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "rpc/framing.hpp"
#include "rpc/session.hpp"

namespace {

using namespace etcdmon;
using namespace etcdmon::rpc;
using std::chrono::milliseconds;

constexpr std::size_t kMaxSteps = 400;
constexpr std::size_t kMaxMessage = 4'096;

/// The input as a list of small numbers and bytes; zeros after its end.
class Script {
 public:
  explicit Script(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    const auto taken = take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }
  std::string_view take(std::size_t count) {
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

template <class Base>
struct Call final : Base {
  void ready() override {
    ETCDMON_ASSERT(inside);
    if (this->done()) inside = false;
  }
  bool inside = false;  ///< given to the session, and its end not yet told
};

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string out;
  for (const auto shift : {16U, 8U, 0U}) out += static_cast<char>(payload.size() >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const auto shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(stream >> shift);
  return out += payload;
}

// An HPACK literal that nobody remembers.
std::string literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  return out += value;
}

constexpr std::size_t kFrameHeader = 9;
constexpr std::string_view kNotComparable = "not comparable";
constexpr std::uint8_t kContinuation = 9, kData = 0, kHeaders = 1, kSettings = 4, kPushPromise = 5,
                       kEndStream = 1, kEndHeaders = 4;

class Peer {
 public:
  Peer(std::string_view script, std::size_t piece)
      : script_(script), piece_(piece), session_(options()) {}
  ~Peer() {
    session_.end(Error{ErrorCode::kUnavailable, "over", Cause::kLocal});
    tell();
    ETCDMON_ASSERT(session_.live() == 0);
    for (const auto& call : unary_) ETCDMON_ASSERT(!call.inside);
    for (const auto& call : streams_) ETCDMON_ASSERT(!call.inside);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// What the calls came to, which must not depend on the split.
  std::string run() {
    session_.open(now_, now_ + std::chrono::seconds(5));
    if (script_.byte() % 4 != 0) receive(frame(kSettings, 0, 0, ""));
    for (std::size_t step = 0; step < kMaxSteps && !script_.empty(); ++step) {
      take_step(script_.byte());
      tell();
      const auto live = std::ranges::count(unary_, true, &Call<UnaryExchange>::inside) +
                        std::ranges::count(streams_, true, &Call<StreamExchange>::inside);
      ETCDMON_ASSERT(session_.live() == static_cast<std::size_t>(live));
      const bool over = session_.state() == Session::State::kEnded;
      ETCDMON_ASSERT(!over || (live == 0 && session_.error().code != ErrorCode::kOk));
    }
    if (has_parted_headers()) return std::string(kNotComparable);
    return story_ + std::to_string(static_cast<int>(session_.state())) + session_.error().message;
  }

 private:
  static SessionOptions options() {
    SessionOptions made;
    made.authority = "etcd-1:2379";
    made.max_message = kMaxMessage;
    made.max_header_list = 512;
    return made;
  }

  void take_step(std::uint8_t step) {
    const auto argument = script_.byte();
    auto& unary = unary_[argument % unary_.size()];
    auto& stream = streams_[argument % streams_.size()];
    switch (step % 13) {
      case 0:
        return receive(script_.take(argument));
      case 1:
        return receive_frame(argument);
      case 2:
        return produce(argument);
      case 3:
        return pass(milliseconds(argument * 20));
      case 4:
        return submit(unary, argument);
      case 5:
        return submit(stream, argument);
      case 6:
        session_.cancel(unary);
        unary.inside = false;
        return;
      case 7:
        session_.cancel(stream);
        stream.inside = false;
        return;
      case 8:
        return take_messages(stream);
      case 9:
        if (stream.inside && !stream.sending() && !finished_[argument % finished_.size()])
          session_.send(stream, std::string(argument * 100U, 'm'));
        return;
      case 10:
        if (!stream.inside) return;
        finished_[argument % finished_.size()] = true;
        return session_.finish_sending(stream);
      case 11:
        return answer(argument);
      default:
        if (argument == 255)
          session_.end(Error{ErrorCode::kUnavailable, "the connection ended", Cause::kReset});
    }
  }

  void receive(std::string_view bytes) {
    const std::string kept(bytes);
    received_ += kept;
    auto rest = std::as_bytes(std::span(kept));
    while (!rest.empty()) {
      const auto part = rest.first(std::min(piece_, rest.size()));
      session_.receive(part, now_);
      rest = rest.subspan(part.size());
    }
  }

  // nghttp2 counts a CONTINUATION, and whatever comes in its place, anew with each piece of its
  // header, and allows eight.
  bool has_parted_headers() const {
    std::string_view rest = received_;
    while (rest.size() >= kFrameHeader) {
      const auto type = static_cast<std::uint8_t>(rest[3]);
      const bool begins = type == kHeaders || type == kPushPromise;
      if (type == kContinuation || (begins && (rest[4] & kEndHeaders) == 0)) return true;
      std::size_t length = 0;
      for (std::size_t i = 0; i < 3; ++i)
        length = length << 8U | static_cast<std::uint8_t>(rest[i]);
      rest.remove_prefix(std::min(rest.size(), kFrameHeader + length));
    }
    return false;
  }

  // A frame whose header is right: type, flags and stream as the script says.
  void receive_frame(std::uint8_t type) {
    const auto flags = script_.byte();
    const auto stream = script_.byte() % 16U;
    const auto payload = script_.take(script_.byte());
    receive(frame(type % 11U, flags, stream, payload));
  }

  // A proper answer, or its beginning.
  void answer(std::uint8_t stream) {
    const auto size = script_.byte();
    const auto how = script_.byte();
    const std::string message(size, 'a');
    const auto prefix = prefix_of(size);
    const std::string framed =
        std::string(reinterpret_cast<const char*>(prefix.data()), prefix.size()) + message;
    const auto id = stream % 16U;
    receive(frame(kHeaders, kEndHeaders, id, "\x88" + literal("content-type", "application/grpc")));
    if (how % 2 == 0) receive(frame(kData, 0, id, framed));
    if (how % 4 < 2) return;
    receive(frame(kHeaders, kEndHeaders | kEndStream, id,
                  literal("grpc-status", std::to_string(how / 16)) +
                      literal("grpc-message", how % 8 < 4 ? "" : "no%20%ff%")));
  }

  void produce(std::uint8_t limit) {
    std::string out;
    session_.produce(out, limit * 64U, now_);
  }

  void pass(milliseconds time) {
    now_ += time;
    if (session_.next_deadline() <= now_) session_.expire(now_);
    ETCDMON_ASSERT(session_.state() == Session::State::kEnded || session_.next_deadline() > now_);
  }

  void submit(Call<UnaryExchange>& call, std::uint8_t argument) {
    if (call.inside) return;
    call.path = "/test.Service/Method";
    call.request = "ask";
    call.deadline = argument < 128 ? now_ + milliseconds(argument * 10) : Deadline::max();
    call.inside = true;
    session_.submit(call, now_);
  }
  void submit(Call<StreamExchange>& call, std::uint8_t argument) {
    if (call.inside) return;
    const bool half_close = argument % 8 == 7;
    finished_[argument % finished_.size()] = half_close;
    call.path = "/test.Service/Stream";
    call.deadline = argument < 32 ? now_ + milliseconds(argument * 50) : Deadline::max();
    call.inside = true;
    session_.submit(call, argument % 4 < 2 ? std::optional<std::string>("first") : std::nullopt,
                    half_close ? Session::HalfClose::kYes : Session::HalfClose::kNo, now_);
  }

  void take_messages(Call<StreamExchange>& call) {
    while (const auto message = session_.take_message(call)) {
      ETCDMON_ASSERT(message->size() <= kMaxMessage);
      story_ += "m" + std::to_string(message->size());
    }
  }

  // All that is ready, as whoever drives a session does after each step.
  void tell() {
    while (auto* exchange = session_.next_ready()) {
      exchange->ready();
      if (!exchange->done()) continue;
      ETCDMON_ASSERT(!exchange->error() || exchange->error()->code != ErrorCode::kOk);
      story_ += exchange->error() ? "e" + exchange->error()->message : "ok";
    }
    for (const auto& call : unary_) ETCDMON_ASSERT(call.answer.size() <= kMaxMessage);
  }

  Script script_;
  std::size_t piece_;
  SteadyTime now_{std::chrono::seconds(1'000)};
  Session session_;
  std::array<Call<UnaryExchange>, 3> unary_;
  std::array<Call<StreamExchange>, 2> streams_;
  std::array<bool, 2> finished_{};
  std::string received_;
  std::string story_;
};

std::string run(std::string_view script, std::size_t piece) {
  Peer peer(script, piece);
  return peer.run();
}

}  // namespace

// The first byte says how what the peer sends is split.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 16U + 1;
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = run(script, script.size() + 1'000);
  const auto split = run(script, piece);
  ETCDMON_ASSERT(whole == split || whole == kNotComparable);
  return 0;
}
