#include "bench/wire.hpp"

namespace etcdmon::bench {

std::optional<ReplyHeader> read_header(std::span<const std::byte> message) {
  ReplyHeader header;
  bool found = false;
  Fields fields(message);
  while (const auto field = fields.next()) {
    if (field->number != 1) continue;
    found = true;
    Fields inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == 2) header.member_id = part->value;
      if (part->number == 3) header.revision = static_cast<std::int64_t>(part->value);
      if (part->number == 4) header.raft_term = part->value;
    }
    if (!inner.ok()) return std::nullopt;
  }
  if (!fields.ok() || !found) return std::nullopt;
  return header;
}

}  // namespace etcdmon::bench
