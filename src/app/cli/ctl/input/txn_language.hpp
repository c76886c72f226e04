// app/cli/ctl/input/txn_language.hpp: what `txn` reads: compares, what to do if they hold, what to
// do otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "app/cli/ctl/command.hpp"

namespace etcdmon::wire {
class Compare;
}  // namespace etcdmon::wire

namespace etcdmon::app::cli::ctl {

/// A line like `put key "some value" --lease=1234`: one of get, put and del, as if it stood on the
/// command line.
struct TxnOperation {
  std::string command{};
  Request request{};
};

/// `mod("key") > "0"`; also ver, version, c, create, m, val, value, lease (its id in hex).
/// Errors are etcdctl's, with exit code 3.
tl::expected<wire::Compare, Exit> parse_compare(std::string_view line);
tl::expected<TxnOperation, Exit> parse_operation(std::string_view line);

/// Takes the lines of a transaction one by one; an empty line ends a part.
class TxnReader {
 public:
  enum class Part : std::uint8_t { kCompares, kSuccess, kFailure, kDone };

  /// Why the line is refused, or nothing.
  std::optional<Exit> take(std::string_view line);
  /// Input may not end before it is done.
  Part part() const { return part_; }
  /// What -i shows before each part.
  std::string_view prompt() const;

  const std::vector<wire::Compare>& compares() const { return compares_; }
  const std::vector<TxnOperation>& success() const { return success_; }
  const std::vector<TxnOperation>& failure() const { return failure_; }

 private:
  Part part_ = Part::kCompares;
  std::vector<wire::Compare> compares_;
  std::vector<TxnOperation> success_;
  std::vector<TxnOperation> failure_;
};

}  // namespace etcdmon::app::cli::ctl
