// etcd/client.hpp: typed questions to one etcd member.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/secret.hpp"
#include "model/member.hpp"
#include "model/observation.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::etcd {

/// What every etcd answer carries about who answered.
struct Header {
  ClusterId cluster_id;
  MemberId member_id;
  std::int64_t revision = 0;
  std::uint64_t raft_term = 0;
};

struct MemberListReply {
  Header header;
  std::vector<model::MemberEntry> members;  ///< sorted by id
};
struct AlarmReply {
  Header header;
  std::vector<model::AlarmEntry> alarms;
};
struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;
};
enum class Consistency : std::uint8_t { kLinearizable, kSerializable };
struct RangeRequest {
  std::string key;
  std::string range_end;
  std::int64_t limit = 0;
  std::int64_t revision = 0;
  Consistency consistency = Consistency::kLinearizable;
  bool keys_only = false;
  bool count_only = false;
};
struct RangeReply {
  Header header;
  std::vector<KeyValue> kvs;
  bool more = false;
  std::int64_t count = 0;
};
struct PutRequest {
  std::string key;
  std::string value;
  std::int64_t lease = 0;
};
struct HashKvReply {
  Header header;
  std::uint32_t hash = 0;
  std::int64_t compact_revision = 0;
  std::int64_t hash_revision = 0;  ///< 3.6+; otherwise 0
};

struct Credentials {
  std::string user;
  Secret password;
};

/// One token for a whole cluster, kept and reused: Authenticate is a raft proposal. Renewed when a
/// member rejects it, one login at a time, backed off to at least 30 s after a failed one.
///
/// Threads: the loop only. Shared by the clients of all members of one cluster.
class TokenSource;
std::shared_ptr<TokenSource> make_token_source(Credentials credentials);
/// What etcd said where it was the login that failed; nullopt: something else. Lives in `error`.
std::optional<std::string_view> login_failure(const Error& error);
/// Why the last login failed, if it did.
std::optional<Error> last_login_error(const TokenSource& tokens);

/// Typed calls to the member at one endpoint. Every call takes a deadline and keeps gRPC's code.
/// "not authorised" is one predicate for callers: is_not_authorised(error).
///
/// Threads:  the loop only.
/// Lifetime: the connection must outlive it.
class Client {
 public:
  Client(rpc::Connection& connection, std::shared_ptr<TokenSource> tokens);
  ~Client();
  Client(Client&&) noexcept;

  Task<Result<model::StatusSample>> status(Deadline deadline);
  /// kLinearizable asks through quorum (3.5+; a 3.4 member always answers with its local view).
  Task<Result<MemberListReply>> member_list(Consistency consistency, Deadline deadline);
  /// A raft proposal even for a list: ask rarely.
  Task<Result<AlarmReply>> alarm_list(Deadline deadline);
  Task<Result<RangeReply>> range(RangeRequest request, Deadline deadline);
  Task<Result<Header>> put(PutRequest request, Deadline deadline);
  /// Deletes [key, range_end), or the one key where that is empty. Returns how many were deleted.
  Task<Result<std::int64_t>> delete_range(std::string key, std::string range_end,
                                          Deadline deadline);
  /// Forgets the history before `revision`; the space is reused over time.
  Task<Result<Header>> compact(std::int64_t revision, Deadline deadline);
  /// A Txn whose compare never holds, with one Put in its success branch: raft and fsync, no key,
  /// no revision.
  Task<Result<Header>> write_probe(std::string key, Deadline deadline);
  /// Scans the key bucket under the backend's read lock.
  Task<Result<HashKvReply>> hash_kv(std::int64_t revision, Deadline deadline);

 private:
  rpc::Connection* connection_;
  std::shared_ptr<TokenSource> tokens_;
};

/// Unauthenticated, PermissionDenied, "invalid auth token", "user name is empty": reachable, not
/// authorised. Never down.
bool is_not_authorised(const Error& error);
/// One kind of them: the member does not know our token. Once is no news: tokens are spread through
/// raft, and a member that lags hears of a fresh one late.
bool is_unknown_token(const Error& error);
/// The server says "etcdserver: rpc not supported for learner": never unhealthy, whatever its code.
bool is_unsupported_for_learner(const Error& error);
bool is_no_space(const Error& error);
bool is_no_leader(const Error& error);

/// 3.5.0 to 3.5.4 do not move their consistent index for an alarm list, and may replay entries
/// after a crash (etcd pull request 14429): never ask them.
bool alarm_list_harms(std::string_view version);

/// Alarms named in Status.errors ("memberID:10276657743932975437 alarm:NOSPACE ").
std::vector<model::AlarmEntry> alarms_in(const std::vector<std::string>& status_errors);

}  // namespace etcdmon::etcd
