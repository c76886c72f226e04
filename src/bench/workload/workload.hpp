// bench/workload/workload.hpp: what a workload asks of etcd, one operation after the other.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "bench/http2/transport.hpp"
#include "bench/spec.hpp"
#include "bench/wire.hpp"

namespace etcdmon::bench {

/// What is sent; its message was written into the Body at hand.
struct Request {
  enum class Kind : std::uint8_t {
    kUnary,
    kStream,  ///< on the client's own stream, which is opened for it where there is none
  };
  std::string_view path;
  std::uint8_t operation = 0;
  Kind kind = Kind::kUnary;
};

/// What an answer means for the operation.
struct Meaning {
  enum class Kind : std::uint8_t {
    kDone,
    kFailed,  ///< with `code` and `why`
    kAgain,   ///< go_on() says what else belongs to the same operation
    kWait,    ///< more must come on the stream
  };
  Kind kind = Kind::kDone;
  bool prepared = false;  ///< with kAgain: what was before does not count as its latency
  ErrorCode code = ErrorCode::kInternal;
  std::string_view why{};  ///< static text
  /// With kAgain: the try just made is told apart as an operation of this kind.
  std::optional<std::uint8_t> aside{};

  static Meaning done() { return {}; }
  static Meaning wait() { return {.kind = Kind::kWait}; }
  static Meaning again() { return {.kind = Kind::kAgain}; }
  static Meaning again_after(std::uint8_t aside) { return {.kind = Kind::kAgain, .aside = aside}; }
  static Meaning now_ready() { return {.kind = Kind::kAgain, .prepared = true}; }
  static Meaning failed(ErrorCode code, std::string_view why) {
    return {.kind = Kind::kFailed, .code = code, .why = why};
  }
};

/// One of those who ask: at most one operation of it is under way.
struct Client {
  Call call;
  Call stream;
  std::uint32_t number = 0;    ///< 0 … of the whole run
  std::uint32_t lane = 0;      ///< its connection, within its worker
  std::uint8_t operation = 0;  ///< of what is under way
  bool busy = false;
  bool measured = false;
  bool listener = false;
  Meaning meaning;                        ///< what the answer of `call` meant, until the call ends
  SteadyTime due;                         ///< its latency counts from here
  SteadyTime sent;                        ///< its timeout counts from here
  std::array<std::uint64_t, 4> memory{};  ///< the workload's; zero at first
};

struct OperationKind {
  std::string_view name;
  bool counted = true;
};

/// Takes what listeners measure.
class Heard {
 public:
  virtual ~Heard() = default;
  /// False: it began before measuring did, and does not count.
  virtual bool record(std::uint8_t operation, SteadyTime since, SteadyTime now) = 0;
};

/// The part of a run that one worker has.
struct Share {
  std::uint32_t worker = 0;
  std::uint32_t workers = 1;
  std::uint32_t run = 0;  ///< tells runs apart: leases have numbers of their own
};

/// Leases that a workload granted under numbers that follow each other.
struct LeaseRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};
/// Where a worker's numbers begin.
constexpr std::uint64_t first_lease(Share share) {
  return (share.run & 0x3fff'ffffULL) << 32U | std::uint64_t{share.worker} << 26U | 1U;
}

/// One worker's source of operations.
///
/// Threads: one.
class Workload {
 public:
  virtual ~Workload() = default;

  virtual std::span<const OperationKind> operations() const = 0;

  /// The next operation of `client`.
  virtual Request begin(Client& client, Body& body) = 0;
  /// An answer with an etcd header: the operation's end, or how it goes on.
  virtual Meaning answered(Client& client, std::span<const std::byte> message) = 0;
  /// After Meaning::again(): what to ask next.
  virtual Request go_on(Client& client, Body& body) { return begin(client, body); }
  /// There is nothing left to begin.
  virtual bool exhausted() const { return false; }
  /// All operations ended, but something that belongs to them has still to come.
  virtual bool expects_more() const { return false; }
  /// What did not come in the end.
  struct Missing {
    std::uint8_t operation = 0;
    std::uint64_t count = 0;
    std::string_view why{};
  };
  virtual Missing missing() const { return {}; }
  /// To be revoked when the run is over.
  virtual LeaseRange leases() const { return {}; }
  /// The client's stream is gone.
  virtual void lost(Client& /*client*/) {}

  /// Streams that are open all the time, besides the operations of clients.
  virtual Request listen(Client& /*listener*/, Body& /*body*/) { return {}; }
  virtual void heard(Client& /*listener*/, std::span<const std::byte> /*message*/, Heard& /*to*/,
                     SteadyTime /*now*/) {}
  /// How many of them are known to listen: operations begin when all do.
  virtual std::uint32_t listening() const { return 0; }
};

/// A workload as the registry knows it.
struct WorkloadType {
  WorkloadEntry entry;
  std::unique_ptr<Workload> (*make)(const RunSpec& spec, Share share) = nullptr;
  /// Puts that must be made before it begins; nullptr: none.
  std::uint64_t (*puts_needed)(const RunSpec& spec) = nullptr;
  /// Makes them.
  std::unique_ptr<Workload> (*fill)(const RunSpec& spec, Share share) = nullptr;
  /// In the whole run; nullptr: none.
  std::uint32_t (*listeners)(const RunSpec& spec) = nullptr;
};
/// nullptr: there is none of that name.
const WorkloadType* find_workload(std::string_view name);
/// Revokes `leases`.
std::unique_ptr<Workload> make_revoke(LeaseRange leases);

}  // namespace etcdmon::bench
