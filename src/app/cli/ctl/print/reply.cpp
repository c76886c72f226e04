#include "app/cli/ctl/print/reply.hpp"

#include <utility>

#include <fmt/format.h>

namespace etcdmon::app::cli::ctl {

namespace {

using wire::HeaderResponse;

DoneReply done(const HeaderResponse& message, std::string sentence) {
  return DoneReply{message, std::move(sentence)};
}

}  // namespace

DoneReply lease_revoked(const HeaderResponse& message, std::int64_t id) {
  auto reply = done(message, fmt::format("lease {:016x} revoked", static_cast<std::uint64_t>(id)));
  reply.has_protobuf = false;
  return reply;
}

DoneReply leader_moved(const HeaderResponse& message, std::uint64_t from, std::uint64_t to) {
  auto reply = done(message, fmt::format("Leadership transferred from {:x} to {:x}", from, to));
  reply.has_fields = false;
  return reply;
}

DoneReply role_added(const HeaderResponse& message, std::string_view role) {
  return done(message, fmt::format("Role {} created", role));
}

DoneReply role_deleted(const HeaderResponse& message, std::string_view role) {
  return done(message, fmt::format("Role {} deleted", role));
}

DoneReply permission_granted(const HeaderResponse& message, std::string_view role) {
  return done(message, fmt::format("Role {} updated", role));
}

DoneReply permission_revoked(const HeaderResponse& message, std::string_view role,
                             std::string_view key, std::string_view range_end) {
  if (range_end.empty()) {
    return done(message, fmt::format("Permission of key {} is revoked from role {}", key, role));
  }
  const bool open = range_end == std::string_view("\0", 1);
  return done(message, fmt::format("Permission of range [{}, {}{} is revoked from role {}", key,
                                   open ? "<open ended>" : range_end, open ? "" : ")", role));
}

DoneReply user_added(const HeaderResponse& message, std::string_view user) {
  return done(message, fmt::format("User {} created", user));
}

DoneReply user_deleted(const HeaderResponse& message, std::string_view user) {
  return done(message, fmt::format("User {} deleted", user));
}

DoneReply password_changed(const HeaderResponse& message) {
  return done(message, "Password updated");
}

DoneReply role_given(const HeaderResponse& message, std::string_view user, std::string_view role) {
  return done(message, fmt::format("Role {} is granted to user {}", role, user));
}

DoneReply role_taken(const HeaderResponse& message, std::string_view user, std::string_view role) {
  return done(message, fmt::format("Role {} is revoked from user {}", role, user));
}

}  // namespace etcdmon::app::cli::ctl
