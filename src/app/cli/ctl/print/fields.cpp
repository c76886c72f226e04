#include <iterator>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/ctl/print/formats.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

// "Name" : value
template <class T>
void FieldsFormat::field(std::string_view name, const T& value) {
  fmt::format_to(std::back_inserter(out_), "\"{}\" : {}\n", name, value);
}

void FieldsFormat::text(std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out_), "\"{}\" : ", name);
  append_quoted(out_, value);
  out_ += '\n';
}

void FieldsFormat::id(std::string_view name, std::uint64_t value) {
  if (hex()) {
    field(name, fmt::format("{:x}", value));
  } else {
    field(name, value);
  }
}

void FieldsFormat::lease(std::int64_t value) {
  if (hex()) {
    field("ID", fmt::format("{:016x}", static_cast<std::uint64_t>(value)));
  } else {
    field("ID", value);
  }
}

void FieldsFormat::header(const wire::ResponseHeader& header) {
  id("ClusterID", header.cluster_id());
  id("MemberID", header.member_id());
  // From 3.6 on it is told only where there is one: most replies but those about keys have none.
  if (output_.compat < Compat::k3_6 || header.revision() > 0) field("Revision", header.revision());
  field("RaftTerm", header.raft_term());
}

void FieldsFormat::pair(std::string_view prefix, const wire::KeyValue& kv) {
  const auto named = [prefix](std::string_view name) { return fmt::format("{}{}", prefix, name); };
  text(named("Key"), kv.key());
  field(named("CreateRevision"), kv.create_revision());
  field(named("ModRevision"), kv.mod_revision());
  field(named("Version"), kv.version());
  text(named("Value"), kv.value());
  if (hex()) {
    field(named("Lease"), fmt::format("{:016x}", static_cast<std::uint64_t>(kv.lease())));
  } else {
    field(named("Lease"), kv.lease());
  }
}

bool FieldsFormat::operator()(const PutReply& reply) {
  header(reply.message.header());
  if (reply.message.has_prev_kv()) pair("Prev", reply.message.prev_kv());
  return true;
}

bool FieldsFormat::operator()(const GetReply& reply) {
  if (reply.part.first) header(reply.message.header());
  for (const auto& kv : reply.message.kvs()) pair("", kv);
  if (!reply.part.last) return true;
  field("More", reply.message.more());
  field("Count", reply.message.count());
  return true;
}

bool FieldsFormat::operator()(const DelReply& reply) {
  header(reply.message.header());
  field("Deleted", reply.message.deleted());
  for (const auto& kv : reply.message.prev_kvs()) pair("Prev", kv);
  return true;
}

bool FieldsFormat::operator()(const TxnReply& reply) {
  header(reply.message.header());
  field("Succeeded", reply.message.succeeded());
  for (const auto& operation : reply.message.responses()) {
    if (operation.has_response_range()) (*this)(GetReply{operation.response_range()});
    if (operation.has_response_put()) (*this)(PutReply{operation.response_put()});
    if (operation.has_response_delete_range()) (*this)(DelReply{operation.response_delete_range()});
  }
  return true;
}

bool FieldsFormat::operator()(const WatchReply& reply) {
  header(reply.message.header());
  for (const auto& event : reply.message.events()) {
    field("Type", wire::Event::Type_Name(event.type()));
    if (event.has_prev_kv()) pair("Prev", event.prev_kv());
    pair("", event.kv());
  }
  return true;
}

bool FieldsFormat::operator()(const GrantReply& reply) {
  header(reply.message.header());
  lease(reply.message.id());
  field("TTL", reply.message.ttl());
  return true;
}

bool FieldsFormat::operator()(const KeepAliveReply& reply) {
  header(reply.message.header());
  lease(reply.message.id());
  field("TTL", reply.message.ttl());
  return true;
}

bool FieldsFormat::operator()(const TimeToLiveReply& reply) {
  header(reply.message.header());
  lease(reply.message.id());
  field("TTL", reply.message.ttl());
  field("GrantedTTL", reply.message.granted_ttl());
  for (const auto& key : reply.message.keys()) text("Key", key);
  return true;
}

bool FieldsFormat::operator()(const LeasesReply& reply) {
  header(reply.message.header());
  for (const auto& item : reply.message.leases()) lease(item.id());
  return true;
}

bool FieldsFormat::operator()(const MemberListReply& reply) {
  header(reply.message.header());
  for (const auto& member : reply.message.members()) {
    id("ID", member.id());
    text("Name", member.name());
    for (const auto& url : member.peer_urls()) text("PeerURL", url);
    for (const auto& url : member.client_urls()) text("ClientURL", url);
    field("IsLearner", member.is_learner());
    out_ += '\n';
  }
  return true;
}

bool FieldsFormat::operator()(const HealthReply& reply) {
  for (const auto& health : reply) {
    text("Endpoint", health.endpoint);
    field("Health", health.healthy);
    field("Took", took_of(health));
    field("Error", health.error);
    out_ += '\n';
  }
  return true;
}

bool FieldsFormat::operator()(const StatusReply& reply) {
  const bool wide = output_.compat >= Compat::k3_6;
  for (const auto& [endpoint, message] : reply) {
    const auto& status = *message;
    header(status.header());
    text("Version", status.version());
    if (wide) text("StorageVersion", status.storage_version());
    field("DBSize", status.db_size());
    if (wide) field("DBSizeInUse", status.db_size_in_use());
    if (wide) field("DBSizeQuota", status.db_size_quota());
    field("Leader", status.leader());
    field("IsLearner", status.is_learner());
    field("RaftIndex", status.raft_index());
    field("RaftTerm", status.raft_term());
    field("RaftAppliedIndex", status.raft_applied_index());
    field("Errors", fmt::format("[{}]", fmt::join(status.errors(), " ")));
    text("Endpoint", endpoint);
    if (wide) {
      text("DowngradeTargetVersion", status.downgrade_info().target_version());
      field("DowngradeEnabled", status.downgrade_info().enabled());
    }
    out_ += '\n';
  }
  return true;
}

bool FieldsFormat::operator()(const HashReply& reply) {
  for (const auto& [endpoint, hash] : reply) {
    header(hash->header());
    text("Endpoint", endpoint);
    field("Hash", hash->hash());
    if (output_.compat >= Compat::k3_6) field("HashRevision", hash->hash_revision());
    out_ += '\n';
  }
  return true;
}

bool FieldsFormat::operator()(const AlarmReply& reply) {
  header(reply.message.header());
  for (const auto& alarm : reply.message.alarms()) {
    id("MemberID", alarm.member_id());
    field("AlarmType", wire::AlarmType_Name(alarm.alarm()));
    out_ += '\n';
  }
  return true;
}

bool FieldsFormat::operator()(const RoleGetReply& reply) {
  header(reply.message.header());
  for (const auto& permission : reply.message.perm()) {
    field("PermType", ' ' + wire::Permission::Type_Name(permission.type()));
    text("Key", permission.key());
    text("RangeEnd", permission.range_end());
  }
  return true;
}

bool FieldsFormat::operator()(const RoleListReply& reply) {
  header(reply.message.header());
  out_ += "\"Roles\" :";
  for (const auto& role : reply.message.roles()) append_quoted(out_ += ' ', role);
  out_ += '\n';
  return true;
}

bool FieldsFormat::operator()(const DoneReply& reply) {
  if (reply.has_fields) header(reply.message.header());
  return reply.has_fields;
}

bool FieldsFormat::operator()(const SnapshotReply& reply) {
  field("Hash", reply.hash);
  field("Revision", reply.revision);
  field("Keys", reply.total_keys);
  field("Size", reply.total_size);
  if (output_.compat >= Compat::k3_6) field("Version", reply.version);
  return true;
}

}  // namespace etcdmon::app::cli::ctl
