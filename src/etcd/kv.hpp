// etcd/kv.hpp: keys and values: put, get, pages of many keys, delete, transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "etcd/client.hpp"

namespace etcdmon::wire {
class DeleteRangeResponse;
class HeaderResponse;
class PutResponse;
class RequestOp;
class RangeResponse;
class TxnRequest;
class TxnResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

/// Which keys. `end` is exclusive; empty: one key; one zero byte: to the last key.
struct KeyRange {
  std::string key;
  std::string end{};

  static KeyRange one(std::string key) { return {std::move(key)}; }
  static KeyRange prefix(std::string prefix);  ///< of "": all keys
  static KeyRange from(std::string key);
  static KeyRange all() { return prefix({}); }

  /// Every key of the cluster.
  bool is_all() const;
};

enum class Order : std::uint8_t { kNone, kAscending, kDescending };
enum class SortBy : std::uint8_t { kKey, kVersion, kCreate, kModify, kValue };

struct GetOptions {
  KeyRange range{};
  std::int64_t limit = 0;     ///< 0: none
  std::int64_t revision = 0;  ///< 0: the newest
  Consistency consistency = Consistency::kLinearizable;
  Order order = Order::kNone;
  SortBy sort_by = SortBy::kKey;
  bool keys_only = false;
  bool count_only = false;
  std::int64_t min_mod_revision = 0;
  std::int64_t max_mod_revision = 0;
  std::int64_t min_create_revision = 0;
  std::int64_t max_create_revision = 0;
};
struct PutOptions {
  std::string key{};
  std::string value{};
  std::int64_t lease = 0;
  bool previous = false;  ///< answer what was there before
  bool keep_value = false;
  bool keep_lease = false;
};
struct DeleteOptions {
  KeyRange range{};
  bool previous = false;
};
struct CompactOptions {
  std::int64_t revision = 0;
  bool physical = false;  ///< answer when the space is free, not when it is known to be
};

/// The same as operations of a transaction.
wire::RequestOp operation(GetOptions options);
wire::RequestOp operation(PutOptions options);
wire::RequestOp operation(DeleteOptions options);

/// What became of a compare-and-swap.
struct Swap {
  bool swapped = false;
  std::int64_t revision = 0;          ///< of the change, or of the look that refused it
  std::optional<KeyValue> present{};  ///< what stands there instead, where it was refused
};

/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
/// Errors:   as Channel::call. Gets are repeated at other endpoints; changes never when their
///           outcome is unknown.
class Kv {
 public:
  explicit Kv(Channel& channel) : channel_(&channel) {}

  Task<Result<wire::RangeResponse>> get(GetOptions options, Deadline deadline);
  Task<Result<wire::PutResponse>> put(PutOptions options, Deadline deadline);
  Task<Result<wire::DeleteRangeResponse>> del(DeleteOptions options, Deadline deadline);
  /// Repeated elsewhere only when all of its operations read.
  Task<Result<wire::TxnResponse>> txn(wire::TxnRequest request, Deadline deadline);
  /// For one that leaves the same behind however often it is made: repeated elsewhere.
  Task<Result<wire::TxnResponse>> repeatable_txn(wire::TxnRequest request, Deadline deadline);
  Task<Result<wire::HeaderResponse>> compact(CompactOptions options, Deadline deadline);

  /// Puts `value` if `expected` stands there; nullopt: if the key does not exist.
  Task<Result<Swap>> compare_and_swap(std::string key, std::optional<std::string> expected,
                                      std::string value, Deadline deadline);
  /// Reads, asks `change` for the new value (nullopt: leave it) and puts that if nobody changed the
  /// key meanwhile; else does it again. `change` may be called several times.
  using Change = std::function<std::optional<std::string>(const std::optional<KeyValue>& now)>;
  Task<Result<Swap>> update(std::string key, Change change, Deadline deadline);

 private:
  Channel* channel_;
};

/// Many keys in pages, all of one revision, in the order of the keys, in memory for one page. The
/// first page is asked as `options` say, the others from the same member without asking the
/// quorum again: it has that revision.
///
/// Errors: those of Kv::get; kOutOfRange when the revision was compacted meanwhile.
class RangePages {
 public:
  /// What a page should weigh: one page is asked for so many keys as would weigh that much if they
  /// were like those before.
  static constexpr std::size_t kPageBytes = 8U << 20U;

  RangePages(Channel& channel, GetOptions options, std::size_t page_bytes = kPageBytes);

  /// In the order of their keys from the first on, which is the only order that can be paged.
  static bool can_page(const GetOptions& options);

  /// The next page, nullopt after the last. Its `count` is that of the whole range.
  Task<Result<std::optional<wire::RangeResponse>>> next(Deadline deadline);
  /// The last page was had.
  bool done() const { return done_; }

 private:
  void plan(const wire::RangeResponse& page);

  Channel* channel_;
  GetOptions options_;
  std::size_t page_bytes_;
  std::int64_t left_;       ///< of the caller's limit; max: none
  std::int64_t page_keys_;  ///< for the next page
  std::int64_t count_ = 0;
  bool first_ = true;
  bool done_ = false;
};

}  // namespace etcdmon::etcd
