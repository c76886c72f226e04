#include "bench/workload/guarded.hpp"

namespace etcdmon::bench {

std::uint64_t first_revision(std::span<const std::byte> range_answer) {
  Fields fields(range_answer);
  while (const auto field = fields.next()) {
    if (field->number != 2) continue;
    Fields parts(field->bytes);
    while (const auto part = parts.next()) {
      if (part->number == 3) return part->value;
    }
  }
  return 0;
}

GuardedReply Guarded::read(std::span<const std::byte> message) {
  GuardedReply reply;
  Fields fields(message);
  while (const auto field = fields.next()) {
    if (field->number == 2) reply.written = field->value != 0;
    if (field->number != 3) continue;
    Fields inner(field->bytes);
    while (const auto response = inner.next()) {
      if (response->number == 1) reply.revision = first_revision(response->bytes);
    }
  }
  if (!reply.written) return reply;
  const auto header = read_header(message);
  reply.revision = header ? static_cast<std::uint64_t>(header->revision) : 0;
  return reply;
}

}  // namespace etcdmon::bench
