#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/ctl/print/formats.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

std::string yes_no(bool value) {
  return value ? "true" : "false";
}

std::string in_use_percent(const wire::StatusResponse& status) {
  if (status.db_size() <= 0) return "0%";
  return fmt::format("{}%", 100 - status.db_size_in_use() * 100 / status.db_size());
}

}  // namespace

std::string took_of(const HealthRow& row) {
  return row.took.count() == 0 ? "" : go_duration(row.took.count());
}

Table table_of(const MemberListReply& reply) {
  Table table{{"ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"}, {}};
  for (const auto& member : reply.message.members()) {
    table.rows.push_back(
        {fmt::format("{:x}", member.id()), member.name().empty() ? "unstarted" : "started",
         member.name(), fmt::format("{}", fmt::join(member.peer_urls(), ",")),
         fmt::format("{}", fmt::join(member.client_urls(), ",")), yes_no(member.is_learner())});
  }
  return table;
}

Table table_of(const HealthReply& reply) {
  Table table{{"endpoint", "health", "took", "error"}, {}};
  for (const auto& health : reply) {
    table.rows.push_back({health.endpoint, yes_no(health.healthy), took_of(health), health.error});
  }
  return table;
}

Table table_of(const StatusReply& reply, Compat compat) {
  const bool wide = compat >= Compat::k3_6;
  Table table{{"endpoint", "ID", "version"}, {}};
  const auto add_header = [&table](std::initializer_list<const char*> names) {
    table.header.insert(table.header.end(), names.begin(), names.end());
  };
  if (wide) add_header({"storage version"});
  add_header({"db size"});
  if (wide) add_header({"in use", "percentage not in use", "quota"});
  add_header(
      {"is leader", "is learner", "raft term", "raft index", "raft applied index", "errors"});
  if (wide) add_header({"downgrade target version", "downgrade enabled"});

  for (const auto& [endpoint, message] : reply) {
    const auto& status = *message;
    auto& row = table.rows.emplace_back();
    row = {endpoint, fmt::format("{:x}", status.header().member_id()), status.version()};
    if (wide) row.push_back(status.storage_version());
    row.push_back(humanized(static_cast<std::uint64_t>(status.db_size())));
    if (wide) {
      row.push_back(humanized(static_cast<std::uint64_t>(status.db_size_in_use())));
      row.push_back(in_use_percent(status));
      row.push_back(humanized(static_cast<std::uint64_t>(status.db_size_quota())));
    }
    row.push_back(yes_no(status.leader() == status.header().member_id()));
    row.push_back(yes_no(status.is_learner()));
    for (const auto number :
         {status.raft_term(), status.raft_index(), status.raft_applied_index()}) {
      row.push_back(fmt::format("{}", number));
    }
    row.push_back(fmt::format("{}", fmt::join(status.errors(), ", ")));
    if (wide) {
      row.push_back(status.downgrade_info().target_version());
      row.push_back(yes_no(status.downgrade_info().enabled()));
    }
  }
  return table;
}

Table table_of(const HashReply& reply, Compat compat) {
  const bool wide = compat >= Compat::k3_6;
  Table table{{"endpoint", "hash"}, {}};
  if (wide) table.header.emplace_back("hash_revision");
  for (const auto& [endpoint, hash] : reply) {
    table.rows.push_back({endpoint, fmt::format("{}", hash->hash())});
    if (wide) table.rows.back().push_back(fmt::format("{}", hash->hash_revision()));
  }
  return table;
}

Table table_of(const SnapshotReply& reply, Compat compat) {
  Table table{{"hash", "revision", "total keys", "total size"}, {}};
  table.rows.push_back({fmt::format("{:x}", reply.hash), fmt::format("{}", reply.revision),
                        fmt::format("{}", reply.total_keys),
                        humanized(static_cast<std::uint64_t>(reply.total_size))});
  if (compat >= Compat::k3_6) {
    table.header.emplace_back("version");
    table.rows.back().push_back(reply.version);
  }
  return table;
}

bool TableFormat::print(Table table) {
  out_ += to_text(std::move(table),
                  output_.compat >= Compat::k3_7 ? Table::Frame::kBoxes : Table::Frame::kAscii);
  return true;
}

bool TableFormat::operator()(const MemberListReply& reply) {
  return print(table_of(reply));
}

bool TableFormat::operator()(const HealthReply& reply) {
  return print(table_of(reply));
}

bool TableFormat::operator()(const StatusReply& reply) {
  return print(table_of(reply, output_.compat));
}

bool TableFormat::operator()(const HashReply& reply) {
  return print(table_of(reply, output_.compat));
}

bool TableFormat::operator()(const SnapshotReply& reply) {
  return print(table_of(reply, output_.compat));
}

}  // namespace etcdmon::app::cli::ctl
