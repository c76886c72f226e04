#include "etcd/client.hpp"

#include <algorithm>
#include <utility>

#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

Header to_header(const wire::ResponseHeader& header) {
  return Header{ClusterId{header.cluster_id()}, MemberId{header.member_id()}, header.revision(),
                header.raft_term()};
}

std::uint64_t to_size(std::int64_t size) {
  return size < 0 ? 0 : static_cast<std::uint64_t>(size);
}

model::StatusSample to_sample(const wire::StatusResponse& response) {
  model::StatusSample sample;
  sample.cluster_id = ClusterId{response.header().cluster_id()};
  sample.member_id = MemberId{response.header().member_id()};
  sample.revision = response.header().revision();
  sample.version = response.version();
  sample.leader = MemberId{response.leader()};
  sample.raft_term = response.raft_term();
  sample.raft_index = response.raft_index();
  sample.raft_applied_index = response.raft_applied_index();
  sample.db_size = to_size(response.db_size());
  // proto3 does not tell 0 from absent; a database in use is never empty.
  if (response.db_size_in_use() > 0) sample.db_size_in_use = to_size(response.db_size_in_use());
  if (response.db_size_quota() > 0) sample.db_size_quota = to_size(response.db_size_quota());
  if (!response.storage_version().empty()) sample.storage_version = response.storage_version();
  sample.learner = response.is_learner();
  sample.errors.assign(response.errors().begin(), response.errors().end());
  return sample;
}

model::MemberEntry to_entry(const wire::Member& member) {
  return model::MemberEntry{
      .id = MemberId{member.id()},
      .name = member.name(),
      .peer_urls = {member.peer_urls().begin(), member.peer_urls().end()},
      .client_urls = {member.client_urls().begin(), member.client_urls().end()},
      .learner = member.is_learner()};
}

model::AlarmType to_alarm_type(wire::AlarmType type) {
  switch (type) {
    case wire::NOSPACE:
      return model::AlarmType::kNospace;
    case wire::CORRUPT:
      return model::AlarmType::kCorrupt;
    default:
      return model::AlarmType::kUnknown;
  }
}

KeyValue to_key_value(wire::KeyValue& kv) {
  return KeyValue{.key = std::move(*kv.mutable_key()),
                  .value = std::move(*kv.mutable_value()),
                  .create_revision = kv.create_revision(),
                  .mod_revision = kv.mod_revision(),
                  .version = kv.version(),
                  .lease = kv.lease()};
}

}  // namespace

Client::Client(rpc::Connection& connection, std::shared_ptr<TokenSource> tokens)
    : connection_(&connection), tokens_(std::move(tokens)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Task<Result<model::StatusSample>> Client::status(Deadline deadline) {
  const auto sent = std::chrono::steady_clock::now();
  auto answer =
      co_await authorised_unary(*connection_, tokens_, path::kStatus, std::string(), deadline);
  auto response = parse<wire::StatusResponse>(std::move(answer), path::kStatus);
  if (!response) co_return response.error();
  auto sample = to_sample(*response);
  sample.sent = sent;
  sample.received = std::chrono::steady_clock::now();
  co_return sample;
}

Task<Result<MemberListReply>> Client::member_list(Consistency consistency, Deadline deadline) {
  wire::MemberListRequest request;
  request.set_linearizable(consistency == Consistency::kLinearizable);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kMemberList,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::MemberListResponse>(std::move(answer), path::kMemberList);
  if (!response) co_return response.error();
  MemberListReply reply{to_header(response->header()), {}};
  for (const auto& member : response->members()) reply.members.push_back(to_entry(member));
  std::ranges::sort(reply.members, {}, &model::MemberEntry::id);
  co_return reply;
}

Task<Result<AlarmReply>> Client::alarm_list(Deadline deadline) {
  wire::AlarmRequest request;
  request.set_action(wire::AlarmRequest::GET);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kAlarm,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::AlarmResponse>(std::move(answer), path::kAlarm);
  if (!response) co_return response.error();
  AlarmReply reply{to_header(response->header()), {}};
  for (const auto& alarm : response->alarms()) {
    reply.alarms.push_back({MemberId{alarm.member_id()}, to_alarm_type(alarm.alarm())});
  }
  co_return reply;
}

Task<Result<RangeReply>> Client::range(RangeRequest range, Deadline deadline) {
  wire::RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.range_end);
  request.set_limit(range.limit);
  request.set_revision(range.revision);
  request.set_serializable(range.consistency == Consistency::kSerializable);
  request.set_keys_only(range.keys_only);
  request.set_count_only(range.count_only);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kRange,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::RangeResponse>(std::move(answer), path::kRange);
  if (!response) co_return response.error();
  RangeReply reply{to_header(response->header()), {}, response->more(), response->count()};
  reply.kvs.reserve(static_cast<std::size_t>(response->kvs_size()));
  for (auto& kv : *response->mutable_kvs()) reply.kvs.push_back(to_key_value(kv));
  co_return reply;
}

Task<Result<Header>> Client::put(PutRequest put, Deadline deadline) {
  wire::PutRequest request;
  request.set_key(put.key);
  request.set_value(put.value);
  request.set_lease(put.lease);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kPut,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::HeaderResponse>(std::move(answer), path::kPut);
  if (!response) co_return response.error();
  co_return to_header(response->header());
}

Task<Result<std::int64_t>> Client::delete_range(std::string key, std::string range_end,
                                                Deadline deadline) {
  wire::DeleteRangeRequest request;
  request.set_key(key);
  request.set_range_end(range_end);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kDeleteRange,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::DeleteRangeResponse>(std::move(answer), path::kDeleteRange);
  if (!response) co_return response.error();
  co_return response->deleted();
}

Task<Result<Header>> Client::compact(std::int64_t revision, Deadline deadline) {
  wire::CompactionRequest request;
  request.set_revision(revision);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kCompact,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::HeaderResponse>(std::move(answer), path::kCompact);
  if (!response) co_return response.error();
  co_return to_header(response->header());
}

Task<Result<Header>> Client::write_probe(std::string key, Deadline deadline) {
  wire::TxnRequest request;
  auto* compare = request.add_compare();
  compare->set_key(key);
  compare->set_target(wire::Compare::CREATE);
  compare->set_result(wire::Compare::LESS);
  compare->set_create_revision(0);  // no revision is below 0: the success branch is never taken
  request.add_success()->mutable_request_put()->set_key(key);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kTxn,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::HeaderResponse>(std::move(answer), path::kTxn);
  if (!response) co_return response.error();
  co_return to_header(response->header());
}

Task<Result<HashKvReply>> Client::hash_kv(std::int64_t revision, Deadline deadline) {
  wire::HashKVRequest request;
  request.set_revision(revision);
  auto answer = co_await authorised_unary(*connection_, tokens_, path::kHashKv,
                                          request.SerializeAsString(), deadline);
  auto response = parse<wire::HashKVResponse>(std::move(answer), path::kHashKv);
  if (!response) co_return response.error();
  co_return HashKvReply{to_header(response->header()), response->hash(),
                        response->compact_revision(), response->hash_revision()};
}

}  // namespace etcdmon::etcd
