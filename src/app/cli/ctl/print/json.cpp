#include <string>

#include <fmt/format.h>

#include "app/cli/ctl/print/formats.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

// `{"header":{…}` of a reply; its other fields follow.
template <class Message>
void JsonFormat::open(const Message& message) {
  json_.open('{');
  if (!message.has_header()) return;
  json_.key("header").open('{');
  header_fields(message.header());
  json_.close('}');
}

bool JsonFormat::close() {
  json_.close('}');
  out_ += '\n';
  return true;
}

void JsonFormat::header_fields(const wire::ResponseHeader& header) {
  json_.some("cluster_id", header.cluster_id())
      .some("member_id", header.member_id())
      .some("revision", header.revision())
      .some("raft_term", header.raft_term());
}

void JsonFormat::pair(const wire::KeyValue& kv) {
  json_.open('{')
      .some_bytes("key", kv.key())
      .some("create_revision", kv.create_revision())
      .some("mod_revision", kv.mod_revision())
      .some("version", kv.version())
      .some_bytes("value", kv.value())
      .some("lease", kv.lease())
      .close('}');
}

template <class List>
void JsonFormat::pairs(std::string_view name, const List& list) {
  if (list.empty()) return;
  json_.key(name).open('[');
  for (const auto& kv : list) pair(kv);
  json_.close(']');
}

template <class List>
void JsonFormat::texts(std::string_view name, const List& list) {
  if (list.empty()) return;
  json_.key(name).open('[');
  for (const auto& text : list) json_.value(text);
  json_.close(']');
}

// The list of a page goes on where that of the page before was left.
void JsonFormat::object(const wire::RangeResponse& message, RangePart part) {
  if (part.first) {
    open(message);
    if (!part.last || !message.kvs().empty()) json_.key("kvs").open('[');
  } else {
    json_.resume();
  }
  for (const auto& kv : message.kvs()) pair(kv);
  if (!part.last) return;
  if (!part.first || !message.kvs().empty()) json_.close(']');
  json_.some("more", message.more()).some("count", message.count()).close('}');
}

void JsonFormat::object(const wire::PutResponse& message) {
  open(message);
  if (message.has_prev_kv()) {
    json_.key("prev_kv");
    pair(message.prev_kv());
  }
  json_.close('}');
}

void JsonFormat::object(const wire::DeleteRangeResponse& message) {
  open(message);
  json_.some("deleted", message.deleted());
  pairs("prev_kvs", message.prev_kvs());
  json_.close('}');
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the transaction that somebody typed
void JsonFormat::object(const wire::TxnResponse& message) {
  open(message);
  json_.some("succeeded", message.succeeded());
  if (message.responses_size() > 0) {
    json_.key("responses").open('[');
    for (const auto& one : message.responses()) operation(one);
    json_.close(']');
  }
  json_.close('}');
}

// NOLINTNEXTLINE(misc-no-recursion)
void JsonFormat::operation(const wire::ResponseOp& operation) {
  const bool old = output_.compat == Compat::k3_4;
  json_.open('{').key("Response").open('{');
  if (operation.has_response_range()) {
    json_.key(old ? "ResponseRange" : "response_range");
    object(operation.response_range());
  } else if (operation.has_response_put()) {
    json_.key(old ? "ResponsePut" : "response_put");
    object(operation.response_put());
  } else if (operation.has_response_delete_range()) {
    json_.key(old ? "ResponseDeleteRange" : "response_delete_range");
    object(operation.response_delete_range());
  } else if (operation.has_response_txn()) {
    json_.key(old ? "ResponseTxn" : "response_txn");
    object(operation.response_txn());
  }
  json_.close('}').close('}');
}

bool JsonFormat::operator()(const PutReply& reply) {
  object(reply.message);
  out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const GetReply& reply) {
  object(reply.message, reply.part);
  if (reply.part.last) out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const DelReply& reply) {
  object(reply.message);
  out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const TxnReply& reply) {
  object(reply.message);
  out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const WatchReply& reply) {
  const auto& message = reply.message;
  json_.open('{').key("Header").open('{');
  header_fields(message.header());
  json_.close('}').key("Events");
  if (message.events().empty()) {
    json_.open('[').close(']');
  } else {
    json_.open('[');
    for (const auto& event : message.events()) {
      json_.open('{').some("type", static_cast<int>(event.type()));
      if (event.has_kv()) pair((json_.key("kv"), event.kv()));
      if (event.has_prev_kv()) pair((json_.key("prev_kv"), event.prev_kv()));
      json_.close('}');
    }
    json_.close(']');
  }
  json_.field("CompactRevision", message.compact_revision())
      .field("Canceled", message.canceled())
      .field("Created", message.created());
  if (output_.compat >= Compat::k3_7) json_.field("CancelReason", message.cancel_reason());
  return close();
}

// The replies about leases have the header's fields among their own.
bool JsonFormat::operator()(const GrantReply& reply) {
  json_.open('{');
  header_fields(reply.message.header());
  json_.field("ID", reply.message.id())
      .field("TTL", reply.message.ttl())
      .field("Error", reply.message.error());
  return close();
}

bool JsonFormat::operator()(const KeepAliveReply& reply) {
  json_.open('{');
  header_fields(reply.message.header());
  json_.field("ID", reply.message.id()).field("TTL", reply.message.ttl());
  return close();
}

bool JsonFormat::operator()(const TimeToLiveReply& reply) {
  const auto& message = reply.message;
  json_.open('{');
  header_fields(message.header());
  json_.field("id", message.id())
      .field("ttl", message.ttl())
      .field("granted-ttl", message.granted_ttl())
      .key("keys");
  if (message.keys().empty()) {
    json_.null();
  } else {
    json_.open('[');
    for (const auto& key : message.keys()) json_.bytes(key);
    json_.close(']');
  }
  return close();
}

bool JsonFormat::operator()(const LeasesReply& reply) {
  json_.open('{');
  header_fields(reply.message.header());
  json_.key("leases").open('[');
  for (const auto& lease : reply.message.leases()) {
    json_.open('{').field("id", lease.id()).close('}');
  }
  json_.close(']');
  return close();
}

void JsonFormat::member(const wire::Member& member) {
  json_.open('{').some("ID", member.id()).some("name", member.name());
  texts("peerURLs", member.peer_urls());
  texts("clientURLs", member.client_urls());
  json_.some("isLearner", member.is_learner()).close('}');
}

template <class List>
void JsonFormat::members(const List& list) {
  if (list.empty()) return;
  json_.key("members").open('[');
  for (const auto& one : list) member(one);
  json_.close(']');
}

// 3.7's --hex, for everything about members.
void JsonFormat::in_hex(const wire::ResponseHeader& header) {
  json_.key("header")
      .open('{')
      .field("cluster_id", fmt::format("{:x}", header.cluster_id()))
      .field("member_id", fmt::format("{:x}", header.member_id()))
      .some("revision", header.revision())
      .some("raft_term", header.raft_term())
      .close('}');
}

void JsonFormat::in_hex(const wire::Member& member) {
  json_.open('{').field("ID", fmt::format("{:x}", member.id())).some("name", member.name());
  texts("peerURLs", member.peer_urls());
  texts("clientURLs", member.client_urls());
  json_.some("isLearner", member.is_learner()).close('}');
}

bool JsonFormat::operator()(const MemberAddReply& reply) {
  const auto& message = reply.message;
  if (output_.hex && output_.compat >= Compat::k3_7) {
    json_.open('{');
    in_hex(message.header());
    json_.key("member");
    in_hex(message.member());
    json_.key("members").open('[');
    for (const auto& one : message.members()) in_hex(one);
    json_.close(']');
    return close();
  }
  open(message);
  json_.key("member");
  member(message.member());
  members(message.members());
  return close();
}

// member list --hex of 3.5 and 3.6 is written by hand there, and knows no learners.
bool JsonFormat::members_in_hex(const wire::MemberListResponse& message) {
  const bool by_hand = output_.compat < Compat::k3_7;
  json_.open('{');
  if (by_hand) {
    json_.key("header")
        .open('{')
        .field("cluster_id", fmt::format("{:x}", message.header().cluster_id()))
        .field("member_id", fmt::format("{:x}", message.header().member_id()))
        .field("raft_term", message.header().raft_term())
        .close('}');
  } else {
    in_hex(message.header());
  }
  if (by_hand && message.members().empty()) return close();
  json_.key("members").open('[');
  for (const auto& one : message.members()) {
    if (!by_hand) {
      in_hex(one);
      continue;
    }
    json_.open('{').field("ID", fmt::format("{:x}", one.id())).field("name", one.name());
    for (const auto& [name, urls] :
         {std::pair("peerURLs", &one.peer_urls()),
          std::pair(output_.compat == Compat::k3_5 ? "clientURLS" : "clientURLs",
                    &one.client_urls())}) {
      texts(name, *urls);
      if (urls->empty()) json_.key(name).null();
    }
    json_.close('}');
  }
  json_.close(']');
  return close();
}

bool JsonFormat::operator()(const MemberListReply& reply) {
  if (output_.hex && output_.compat >= Compat::k3_5) return members_in_hex(reply.message);
  open(reply.message);
  members(reply.message.members());
  return close();
}

bool JsonFormat::operator()(const MemberChangeReply& reply) {
  if (output_.hex && output_.compat >= Compat::k3_7) return members_in_hex(reply.message);
  open(reply.message);
  members(reply.message.members());
  return close();
}

bool JsonFormat::operator()(const HealthReply& reply) {
  if (reply.empty()) {
    out_ += "null\n";
    return true;
  }
  json_.open('[');
  for (const auto& health : reply) {
    json_.open('{')
        .field("endpoint", health.endpoint)
        .field("health", health.healthy)
        .field("took", took_of(health))
        .some("error", health.error)
        .close('}');
  }
  json_.close(']');
  out_ += '\n';
  return true;
}

void JsonFormat::status(const wire::StatusResponse& message) {
  open(message);
  json_.some("version", message.version())
      .some("dbSize", message.db_size())
      .some("leader", message.leader())
      .some("raftIndex", message.raft_index())
      .some("raftTerm", message.raft_term())
      .some("raftAppliedIndex", message.raft_applied_index());
  texts("errors", message.errors());
  json_.some("dbSizeInUse", message.db_size_in_use()).some("isLearner", message.is_learner());
  if (output_.compat >= Compat::k3_6) {
    json_.some("storageVersion", message.storage_version())
        .some("dbSizeQuota", message.db_size_quota());
    if (message.has_downgrade_info()) {
      json_.key("downgradeInfo")
          .open('{')
          .some("enabled", message.downgrade_info().enabled())
          .some("targetVersion", message.downgrade_info().target_version())
          .close('}');
    }
  }
  json_.close('}');
}

bool JsonFormat::operator()(const StatusReply& reply) {
  if (reply.empty()) {
    out_ += "null\n";
    return true;
  }
  json_.open('[');
  for (const auto& [endpoint, message] : reply) {
    json_.open('{').field("Endpoint", endpoint).key("Status");
    status(*message);
    json_.close('}');
  }
  json_.close(']');
  out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const HashReply& reply) {
  if (reply.empty()) {
    out_ += "null\n";
    return true;
  }
  json_.open('[');
  for (const auto& [endpoint, message] : reply) {
    json_.open('{').field("Endpoint", endpoint).key("HashKV");
    open(*message);
    json_.some("hash", message->hash()).some("compact_revision", message->compact_revision());
    if (output_.compat >= Compat::k3_6) json_.some("hash_revision", message->hash_revision());
    json_.close('}').close('}');
  }
  json_.close(']');
  out_ += '\n';
  return true;
}

bool JsonFormat::operator()(const AlarmReply& reply) {
  open(reply.message);
  if (!reply.message.alarms().empty()) {
    json_.key("alarms").open('[');
    for (const auto& alarm : reply.message.alarms()) {
      json_.open('{')
          .some("memberID", alarm.member_id())
          .some("alarm", static_cast<int>(alarm.alarm()))
          .close('}');
    }
    json_.close(']');
  }
  return close();
}

bool JsonFormat::operator()(const RoleGetReply& reply) {
  open(reply.message);
  if (!reply.message.perm().empty()) {
    json_.key("perm").open('[');
    for (const auto& permission : reply.message.perm()) {
      json_.open('{')
          .some("permType", static_cast<int>(permission.type()))
          .some_bytes("key", permission.key())
          .some_bytes("range_end", permission.range_end())
          .close('}');
    }
    json_.close(']');
  }
  return close();
}

bool JsonFormat::operator()(const RoleListReply& reply) {
  open(reply.message);
  texts("roles", reply.message.roles());
  return close();
}

bool JsonFormat::operator()(const UserGetReply& reply) {
  open(reply.message);
  texts("roles", reply.message.roles());
  return close();
}

bool JsonFormat::operator()(const UserListReply& reply) {
  open(reply.message);
  texts("users", reply.message.users());
  return close();
}

bool JsonFormat::operator()(const AuthStatusReply& reply) {
  open(reply.message);
  json_.some("enabled", reply.message.enabled())
      .some("authRevision", reply.message.auth_revision());
  return close();
}

bool JsonFormat::operator()(const DowngradeReply& reply) {
  open(reply.message);
  json_.some("version", reply.message.version());
  return close();
}

bool JsonFormat::operator()(const DoneReply& reply) {
  open(reply.message);
  return close();
}

bool JsonFormat::operator()(const SnapshotReply& reply) {
  json_.open('{')
      .field("hash", reply.hash)
      .field("revision", reply.revision)
      .field("totalKey", reply.total_keys)
      .field("totalSize", reply.total_size);
  if (output_.compat >= Compat::k3_6) json_.field("version", reply.version);
  return close();
}

}  // namespace etcdmon::app::cli::ctl
