// bench/load/control.hpp: what a run asks of the cluster besides its load.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "bench/load/tokens.hpp"
#include "bench/spec.hpp"
#include "bench/wire.hpp"

namespace etcdmon::bench {

/// Each function blocks, at most for the run's dial timeout or what it says.
///
/// Threads: one.
class Control {
 public:
  static Result<std::unique_ptr<Control>> make(const RunSpec& spec);
  ~Control();

  /// Logs in at the first endpoint that lets us.
  Result<void> login();
  Tokens& tokens() { return tokens_; }

  struct MemberFacts {
    net::Endpoint endpoint;
    std::uint64_t id = 0;
    std::uint64_t leader = 0;
    std::uint64_t raft_term = 0;
    std::string version;
    std::uint64_t db_size = 0;
    std::uint64_t db_size_in_use = 0;
  };
  /// Of every endpoint that answers. Fails when none does.
  Result<std::vector<MemberFacts>> members();
  /// What the largest process says of its memory; unset where no /metrics can be had.
  std::optional<std::uint64_t> resident_memory();

  /// Lets etcd 3.4 forget a burst of writes: three commits that leave the keys alone. Takes 0.9 s.
  Result<void> settle();
  /// Whether any endpoint answers within `patience`; each has its own.
  bool answers(std::chrono::milliseconds patience);
  /// Deletes all keys under the prefix, some thousand at a time. Returns how many. Ends early when
  /// `hurry` is set.
  Result<std::uint64_t> remove_keys(const std::atomic<bool>* hurry);

 private:
  class Lines;
  explicit Control(const RunSpec& spec);

  Result<std::string> ask(std::string_view path, const Body& body);
  Result<std::vector<std::string>> page_of_keys();

  const RunSpec& spec_;
  Tokens tokens_;
  std::unique_ptr<Lines> lines_;
};

}  // namespace etcdmon::bench
