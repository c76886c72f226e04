// app/cli/ctl/print/formats.hpp: one visitor of replies per format.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/ctl/print/output.hpp"
#include "app/cli/ctl/print/reply.hpp"
#include "app/cli/ctl/text/json_writer.hpp"
#include "app/cli/ctl/text/table.hpp"

namespace etcdmon::wire {
class KeyValue;
class Member;
class ResponseHeader;
class ResponseOp;
}  // namespace etcdmon::wire

namespace etcdmon::app::cli::ctl {

/// Fills `printed`; true: it has this reply.
class SimpleFormat {
 public:
  SimpleFormat(const Output& output, Printed& printed) : output_(output), printed_(printed) {}

  bool operator()(const PutReply& reply);
  bool operator()(const GetReply& reply);
  bool operator()(const DelReply& reply);
  bool operator()(const TxnReply& reply);
  bool operator()(const WatchReply& reply);
  bool operator()(const GrantReply& reply);
  bool operator()(const KeepAliveReply& reply);
  bool operator()(const TimeToLiveReply& reply);
  bool operator()(const LeasesReply& reply);
  bool operator()(const MemberAddReply& reply);
  bool operator()(const MemberListReply& reply);
  bool operator()(const MemberChangeReply& reply);
  bool operator()(const HealthReply& reply);
  bool operator()(const StatusReply& reply);
  bool operator()(const HashReply& reply);
  bool operator()(const AlarmReply& reply);
  bool operator()(const RoleGetReply& reply);
  bool operator()(const RoleListReply& reply);
  bool operator()(const UserGetReply& reply);
  bool operator()(const UserListReply& reply);
  bool operator()(const AuthStatusReply& reply);
  bool operator()(const DowngradeReply& reply);
  bool operator()(const DoneReply& reply);
  bool operator()(const SnapshotReply& reply);

 private:
  void line(std::string_view text);
  void pair(const wire::KeyValue& kv);
  void rows(const Table& table);
  void ranges(const RoleGetReply& reply, bool of_reads);

  const Output& output_;
  Printed& printed_;
};

class FieldsFormat {
 public:
  FieldsFormat(const Output& output, Printed& printed) : output_(output), out_(printed.out) {}

  bool operator()(const PutReply& reply);
  bool operator()(const GetReply& reply);
  bool operator()(const DelReply& reply);
  bool operator()(const TxnReply& reply);
  bool operator()(const WatchReply& reply);
  bool operator()(const GrantReply& reply);
  bool operator()(const KeepAliveReply& reply);
  bool operator()(const TimeToLiveReply& reply);
  bool operator()(const LeasesReply& reply);
  bool operator()(const MemberListReply& reply);
  bool operator()(const HealthReply& reply);
  bool operator()(const StatusReply& reply);
  bool operator()(const HashReply& reply);
  bool operator()(const AlarmReply& reply);
  bool operator()(const RoleGetReply& reply);
  bool operator()(const RoleListReply& reply);
  bool operator()(const DoneReply& reply);
  bool operator()(const SnapshotReply& reply);
  template <class T>
  bool operator()(const T& /*unused*/) {
    return false;
  }

 private:
  bool hex() const { return output_.hex && output_.compat >= Compat::k3_6; }
  template <class T>
  void field(std::string_view name, const T& value);
  void text(std::string_view name, std::string_view value);
  void id(std::string_view name, std::uint64_t value);
  void lease(std::int64_t value);
  void header(const wire::ResponseHeader& header);
  void pair(std::string_view prefix, const wire::KeyValue& kv);

  const Output& output_;
  std::string& out_;
};

class JsonFormat {
 public:
  JsonFormat(const Output& output, Printed& printed)
      : output_(output), out_(printed.out), json_(printed.out) {}

  bool operator()(const PutReply& reply);
  bool operator()(const GetReply& reply);
  bool operator()(const DelReply& reply);
  bool operator()(const TxnReply& reply);
  bool operator()(const WatchReply& reply);
  bool operator()(const GrantReply& reply);
  bool operator()(const KeepAliveReply& reply);
  bool operator()(const TimeToLiveReply& reply);
  bool operator()(const LeasesReply& reply);
  bool operator()(const MemberAddReply& reply);
  bool operator()(const MemberListReply& reply);
  bool operator()(const MemberChangeReply& reply);
  bool operator()(const HealthReply& reply);
  bool operator()(const StatusReply& reply);
  bool operator()(const HashReply& reply);
  bool operator()(const AlarmReply& reply);
  bool operator()(const RoleGetReply& reply);
  bool operator()(const RoleListReply& reply);
  bool operator()(const UserGetReply& reply);
  bool operator()(const UserListReply& reply);
  bool operator()(const AuthStatusReply& reply);
  bool operator()(const DowngradeReply& reply);
  bool operator()(const DoneReply& reply);
  bool operator()(const SnapshotReply& reply);

 private:
  template <class Message>
  void open(const Message& message);
  bool close();
  void header_fields(const wire::ResponseHeader& header);
  void pair(const wire::KeyValue& kv);
  template <class List>
  void pairs(std::string_view name, const List& list);
  template <class List>
  void texts(std::string_view name, const List& list);
  void object(const wire::RangeResponse& message, RangePart part = {});
  void object(const wire::PutResponse& message);
  void object(const wire::DeleteRangeResponse& message);
  void object(const wire::TxnResponse& message);
  void operation(const wire::ResponseOp& operation);
  void member(const wire::Member& member);
  template <class List>
  void members(const List& list);
  bool members_in_hex(const wire::MemberListResponse& message);
  void in_hex(const wire::ResponseHeader& header);
  void in_hex(const wire::Member& member);
  void status(const wire::StatusResponse& message);

  const Output& output_;
  std::string& out_;
  JsonWriter json_;
};

/// The reply's message, serialized.
class ProtobufFormat {
 public:
  ProtobufFormat(const Output& /*output*/, Printed& printed) : out_(printed.out) {}

  bool operator()(const GetReply& reply);
  bool operator()(const DoneReply& reply);
  bool operator()(const WatchReply& reply);
  bool operator()(const GrantReply& reply);
  bool operator()(const KeepAliveReply& reply);
  bool operator()(const TimeToLiveReply& reply);
  bool operator()(const LeasesReply& reply);
  bool operator()(const HealthReply& /*unused*/) { return false; }
  bool operator()(const StatusReply& /*unused*/) { return false; }
  bool operator()(const HashReply& /*unused*/) { return false; }
  bool operator()(const SnapshotReply& /*unused*/) { return false; }
  template <class T>
  bool operator()(const T& reply) {
    return reply.message.AppendToString(&out_);
  }

 private:
  std::string& out_;
};

class TableFormat {
 public:
  TableFormat(const Output& output, Printed& printed) : output_(output), out_(printed.out) {}

  bool operator()(const MemberListReply& reply);
  bool operator()(const HealthReply& reply);
  bool operator()(const StatusReply& reply);
  bool operator()(const HashReply& reply);
  bool operator()(const SnapshotReply& reply);
  template <class T>
  bool operator()(const T& /*unused*/) {
    return false;
  }

 private:
  bool print(Table table);

  const Output& output_;
  std::string& out_;
};

/// How long it took, as etcdctl says it; empty where there was not even a connection.
std::string took_of(const HealthRow& row);

/// What -w table shows, and -w simple without the frame.
Table table_of(const MemberListReply& reply);
Table table_of(const HealthReply& reply);
Table table_of(const StatusReply& reply, Compat compat);
Table table_of(const HashReply& reply, Compat compat);
Table table_of(const SnapshotReply& reply, Compat compat);

}  // namespace etcdmon::app::cli::ctl
