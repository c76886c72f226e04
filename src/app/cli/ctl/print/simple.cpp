#include <algorithm>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/ctl/print/formats.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using namespace std::string_literals;

constexpr std::string_view kOpenEnded = "\t[, <open ended>\n";

template <class... T>
void append(std::string& out, fmt::format_string<T...> format, T&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
}

std::uint64_t as_id(std::int64_t lease) {
  return static_cast<std::uint64_t>(lease);
}

}  // namespace

// The end of the range of all keys that begin with `prefix`.
std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return "\0"s;
  ++prefix.back();
  return prefix;
}

void SimpleFormat::line(std::string_view text) {
  (printed_.out += text) += '\n';
}

void SimpleFormat::pair(const wire::KeyValue& kv) {
  if (!output_.value_only) line(output_.hex ? hex_escaped(kv.key()) : kv.key());
  line(output_.hex ? hex_escaped(kv.value()) : kv.value());
}

void SimpleFormat::rows(const Table& table) {
  for (const auto& row : table.rows) line(fmt::format("{}", fmt::join(row, ", ")));
}

bool SimpleFormat::operator()(const PutReply& reply) {
  line("OK");
  if (reply.message.has_prev_kv()) pair(reply.message.prev_kv());
  return true;
}

bool SimpleFormat::operator()(const GetReply& reply) {
  for (const auto& kv : reply.message.kvs()) pair(kv);
  return true;
}

bool SimpleFormat::operator()(const DelReply& reply) {
  append(printed_.out, "{}\n", reply.message.deleted());
  for (const auto& kv : reply.message.prev_kvs()) pair(kv);
  return true;
}

bool SimpleFormat::operator()(const TxnReply& reply) {
  line(reply.message.succeeded() ? "SUCCESS" : "FAILURE");
  for (const auto& operation : reply.message.responses()) {
    line("");
    if (operation.has_response_range()) (*this)(GetReply{operation.response_range()});
    if (operation.has_response_put()) (*this)(PutReply{operation.response_put()});
    if (operation.has_response_delete_range()) (*this)(DelReply{operation.response_delete_range()});
  }
  return true;
}

bool SimpleFormat::operator()(const WatchReply& reply) {
  for (const auto& event : reply.message.events()) {
    line(wire::Event::Type_Name(event.type()));
    if (event.has_prev_kv()) pair(event.prev_kv());
    pair(event.kv());
  }
  return true;
}

bool SimpleFormat::operator()(const GrantReply& reply) {
  append(printed_.out, "lease {:016x} granted with TTL({}s)\n", as_id(reply.message.id()),
         reply.message.ttl());
  return true;
}

bool SimpleFormat::operator()(const KeepAliveReply& reply) {
  append(printed_.out, "lease {:016x} keepalived with TTL({})\n", as_id(reply.message.id()),
         reply.message.ttl());
  return true;
}

bool SimpleFormat::operator()(const TimeToLiveReply& reply) {
  const auto& message = reply.message;
  if (message.granted_ttl() == 0 && message.ttl() == -1) {
    append(printed_.out, "lease {:016x} already expired\n", as_id(message.id()));
    return true;
  }
  append(printed_.out, "lease {:016x} granted with TTL({}s), remaining({}s)", as_id(message.id()),
         message.granted_ttl(), message.ttl());
  if (reply.with_keys) {
    append(printed_.out, ", attached keys([{}])", fmt::join(message.keys(), " "));
  }
  printed_.out += '\n';
  return true;
}

bool SimpleFormat::operator()(const LeasesReply& reply) {
  append(printed_.out, "found {} leases\n", reply.message.leases_size());
  for (const auto& lease : reply.message.leases()) {
    append(printed_.out, "{:016x}\n", as_id(lease.id()));
  }
  return true;
}

bool SimpleFormat::operator()(const MemberAddReply& reply) {
  const bool told = output_.compat >= Compat::k3_6 && reply.message.member().is_learner();
  append(printed_.out, "Member {:16x} added {}to cluster {:16x}\n", reply.message.member().id(),
         told ? "as learner " : "", reply.message.header().cluster_id());
  return true;
}

bool SimpleFormat::operator()(const MemberListReply& reply) {
  rows(table_of(reply));
  return true;
}

bool SimpleFormat::operator()(const MemberChangeReply& reply) {
  append(printed_.out, "Member {:16x} {} cluster {:16x}\n", reply.id, reply.what,
         reply.message.header().cluster_id());
  return true;
}

bool SimpleFormat::operator()(const HealthReply& reply) {
  for (const auto& health : reply) {
    if (!health.error.empty()) {
      append(printed_.err, "{} is unhealthy: failed to commit proposal: {}\n", health.endpoint,
             health.error);
    } else {
      append(output_.compat == Compat::k3_4 ? printed_.err : printed_.out,
             "{} is healthy: successfully committed proposal: took = {}\n", health.endpoint,
             took_of(health));
    }
  }
  return true;
}

bool SimpleFormat::operator()(const StatusReply& reply) {
  rows(table_of(reply, output_.compat));
  return true;
}

bool SimpleFormat::operator()(const HashReply& reply) {
  rows(table_of(reply, output_.compat));
  return true;
}

bool SimpleFormat::operator()(const AlarmReply& reply) {
  const std::string_view end = output_.compat >= Compat::k3_7 ? "" : " ";
  for (const auto& alarm : reply.message.alarms()) {
    if (alarm.member_id() != 0) append(printed_.out, "memberID:{} ", alarm.member_id());
    if (alarm.alarm() != wire::NONE) {
      append(printed_.out, "alarm:{}{}", wire::AlarmType_Name(alarm.alarm()), end);
    }
    printed_.out += '\n';
  }
  return true;
}

void SimpleFormat::ranges(const RoleGetReply& reply, bool of_reads) {
  const auto type = of_reads ? wire::Permission::READ : wire::Permission::WRITE;
  for (const auto& permission : reply.message.perm()) {
    const auto& [key, end] = std::tie(permission.key(), permission.range_end());
    if (permission.type() != type && permission.type() != wire::Permission::READWRITE) continue;
    if (end.empty()) {
      append(printed_.out, "\t{}\n", key);
      continue;
    }
    append(printed_.out, "\t[{}, {}", key, end == "\0"s ? "<open ended>" : end + ")");
    const bool told = !key.empty() || output_.compat < Compat::k3_6;
    if (told && prefix_end(key) == end) append(printed_.out, " (prefix {})", key);
    printed_.out += '\n';
  }
}

bool SimpleFormat::operator()(const RoleGetReply& reply) {
  append(printed_.out, "Role {}\n", reply.role);
  // root may do everything, though nobody granted it.
  const bool root =
      output_.compat >= Compat::k3_6 && reply.role == "root" && reply.message.perm_size() == 0;
  line("KV Read:");
  if (root) printed_.out += kOpenEnded;
  ranges(reply, true);
  line("KV Write:");
  if (root) printed_.out += kOpenEnded;
  ranges(reply, false);
  return true;
}

bool SimpleFormat::operator()(const RoleListReply& reply) {
  for (const auto& role : reply.message.roles()) line(role);
  return true;
}

bool SimpleFormat::operator()(const UserGetReply& reply) {
  append(printed_.out, "User: {}\nRoles:", reply.user);
  for (const auto& role : reply.message.roles()) (printed_.out += ' ') += role;
  printed_.out += '\n';
  return true;
}

bool SimpleFormat::operator()(const UserListReply& reply) {
  for (const auto& user : reply.message.users()) line(user);
  return true;
}

bool SimpleFormat::operator()(const AuthStatusReply& reply) {
  append(printed_.out, "Authentication Status: {}\nAuthRevision: {}\n", reply.message.enabled(),
         reply.message.auth_revision());
  return true;
}

bool SimpleFormat::operator()(const DowngradeReply& reply) {
  append(printed_.out, "Downgrade {} success, cluster version {}\n", reply.verb,
         reply.message.version());
  return true;
}

bool SimpleFormat::operator()(const DoneReply& reply) {
  line(reply.sentence);
  return true;
}

bool SimpleFormat::operator()(const SnapshotReply& reply) {
  rows(table_of(reply, output_.compat));
  return true;
}

}  // namespace etcdmon::app::cli::ctl
