#include "etcd/maintenance.hpp"

#include <utility>

#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

wire::AlarmType to_wire(model::AlarmType type) {
  switch (type) {
    case model::AlarmType::kNospace:
      return wire::NOSPACE;
    case model::AlarmType::kCorrupt:
      return wire::CORRUPT;
    case model::AlarmType::kUnknown:
      break;
  }
  return wire::NONE;
}

}  // namespace

Task<Result<wire::StatusResponse>> Maintenance::status(Deadline deadline) {
  return ask<wire::StatusResponse>(*channel_, path::kStatus, Repeat::kSafe, wire::EmptyRequest{},
                                   deadline);
}

Task<Result<wire::AlarmResponse>> Maintenance::alarms(Deadline deadline) {
  wire::AlarmRequest request;
  request.set_action(wire::AlarmRequest::GET);
  return ask<wire::AlarmResponse>(*channel_, path::kAlarm, Repeat::kSafe, std::move(request),
                                  deadline);
}

Task<Result<wire::AlarmResponse>> Maintenance::disarm(model::AlarmEntry alarm, Deadline deadline) {
  wire::AlarmRequest request;
  request.set_action(wire::AlarmRequest::DEACTIVATE);
  request.set_member_id(alarm.member.value);
  request.set_alarm(to_wire(alarm.type));
  // Disarmed is disarmed, however often it is said.
  return ask<wire::AlarmResponse>(*channel_, path::kAlarm, Repeat::kSafe, std::move(request),
                                  deadline);
}

Task<Result<wire::HeaderResponse>> Maintenance::defragment(Deadline deadline) {
  return ask<wire::HeaderResponse>(*channel_, path::kDefragment, Repeat::kUnsafe,
                                   wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HashKVResponse>> Maintenance::hash_kv(std::int64_t revision, Deadline deadline) {
  wire::HashKVRequest request;
  request.set_revision(revision);
  return ask<wire::HashKVResponse>(*channel_, path::kHashKv, Repeat::kSafe, std::move(request),
                                   deadline);
}

Task<Result<wire::HeaderResponse>> Maintenance::move_leader(MemberId to, Deadline deadline) {
  wire::MoveLeaderRequest request;
  request.set_target_id(to.value);
  return ask<wire::HeaderResponse>(*channel_, path::kMoveLeader, Repeat::kUnsafe,
                                   std::move(request), deadline);
}

Task<Result<wire::DowngradeResponse>> Maintenance::downgrade(DowngradeOptions options,
                                                             Deadline deadline) {
  wire::DowngradeRequest request;
  request.set_action(static_cast<wire::DowngradeRequest::Action>(options.action));
  request.set_version(std::move(options.version));
  const auto repeat =
      options.action == DowngradeOptions::Action::kValidate ? Repeat::kSafe : Repeat::kUnsafe;
  return ask<wire::DowngradeResponse>(*channel_, path::kDowngrade, repeat, std::move(request),
                                      deadline);
}

}  // namespace etcdmon::etcd
