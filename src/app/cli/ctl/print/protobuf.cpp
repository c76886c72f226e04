#include "app/cli/ctl/print/formats.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

// The parts of one message, one behind the other, are that message.
bool ProtobufFormat::operator()(const GetReply& reply) {
  if (reply.part.first && reply.part.last) return reply.message.AppendToString(&out_);
  wire::RangeResponse message = reply.message;
  if (!reply.part.first) message.clear_header();
  if (!reply.part.last) {
    message.clear_more();
    message.clear_count();
  }
  return message.AppendToString(&out_);
}

bool ProtobufFormat::operator()(const DoneReply& reply) {
  return reply.has_protobuf && reply.message.AppendToString(&out_);
}

// etcdctl puts the message together anew, without the watch's id.
bool ProtobufFormat::operator()(const WatchReply& reply) {
  wire::WatchResponse message;
  *message.mutable_header() = reply.message.header();
  *message.mutable_events() = reply.message.events();
  message.set_compact_revision(reply.message.compact_revision());
  message.set_canceled(reply.message.canceled());
  message.set_created(reply.message.created());
  return message.AppendToString(&out_);
}

// Of the leases' replies etcdctl writes the header alone.
bool ProtobufFormat::operator()(const GrantReply& reply) {
  return reply.message.header().AppendToString(&out_);
}

bool ProtobufFormat::operator()(const KeepAliveReply& reply) {
  return reply.message.header().AppendToString(&out_);
}

bool ProtobufFormat::operator()(const TimeToLiveReply& reply) {
  return reply.message.header().AppendToString(&out_);
}

bool ProtobufFormat::operator()(const LeasesReply& reply) {
  return reply.message.header().AppendToString(&out_);
}

}  // namespace etcdmon::app::cli::ctl
