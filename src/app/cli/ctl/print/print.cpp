#include "app/cli/ctl/print/print.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/print/formats.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::array<std::string_view, 5> kFormats = {"simple", "fields", "json", "protobuf",
                                                      "table"};
constexpr std::string_view kSecrets = "/registry/secrets/";

void hide(wire::KeyValue& kv) {
  if (kv.key().starts_with(kSecrets) && !kv.value().empty()) {
    kv.set_value(fmt::format("<redacted: {} bytes>", kv.value().size()));
  }
}

template <class List>
void hide_all(List& list) {
  for (auto& kv : list) hide(kv);
}

template <class Visitor>
Result<Printed> visit_with(const Reply& reply, const Output& output) {
  Printed printed;
  if (!std::visit(Visitor(output, printed), reply)) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{} not supported as output format", name_of(output.format))};
  }
  return printed;
}

}  // namespace

std::string_view name_of(Format format) {
  return kFormats[static_cast<std::size_t>(format)];
}

Result<Format> parse_format(std::string_view name) {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i] == name) return static_cast<Format>(i);
  }
  return Error{ErrorCode::kInvalidArgument, "unsupported output format"};
}

Result<Compat> parse_compat(std::string_view version) {
  constexpr std::array<std::string_view, 4> kVersions = {"3.4", "3.5", "3.6", "3.7"};
  for (std::size_t i = 0; i < kVersions.size(); ++i) {
    if (kVersions[i] == version) {
      return static_cast<Compat>(static_cast<std::size_t>(Compat::k3_4) + i);
    }
  }
  return Error{ErrorCode::kInvalidArgument, "--compat is 3.4, 3.5, 3.6 or 3.7"};
}

Result<Printed> print(const Reply& reply, const Output& output) {
  switch (output.format) {
    case Format::kSimple:
      return visit_with<SimpleFormat>(reply, output);
    case Format::kFields:
      return visit_with<FieldsFormat>(reply, output);
    case Format::kJson:
      return visit_with<JsonFormat>(reply, output);
    case Format::kProtobuf:
      return visit_with<ProtobufFormat>(reply, output);
    case Format::kTable:
      break;
  }
  return visit_with<TableFormat>(reply, output);
}

void redact(wire::RangeResponse& message) {
  hide_all(*message.mutable_kvs());
}

void redact(wire::PutResponse& message) {
  if (message.has_prev_kv()) hide(*message.mutable_prev_kv());
}

void redact(wire::DeleteRangeResponse& message) {
  hide_all(*message.mutable_prev_kvs());
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the transaction that somebody typed
void redact(wire::TxnResponse& message) {
  for (auto& operation : *message.mutable_responses()) {
    if (operation.has_response_range()) redact(*operation.mutable_response_range());
    if (operation.has_response_put()) redact(*operation.mutable_response_put());
    if (operation.has_response_delete_range()) redact(*operation.mutable_response_delete_range());
    if (operation.has_response_txn()) redact(*operation.mutable_response_txn());
  }
}

void redact(wire::WatchResponse& message) {
  for (auto& event : *message.mutable_events()) {
    if (event.has_kv()) hide(*event.mutable_kv());
    if (event.has_prev_kv()) hide(*event.mutable_prev_kv());
  }
}

}  // namespace etcdmon::app::cli::ctl
