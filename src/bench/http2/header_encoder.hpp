// bench/http2/header_encoder.hpp: the header block of a request, which from the second time on is a
// few bytes to copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/http2/transport.hpp"

namespace etcdmon::bench {

/// HPACK (RFC 7541) for requests that differ in their path only. The first request with a path puts
/// its fields into the peer's table; every later one refers to them. What does not fit the table
/// that the peer allows is spelled out each time.
class HeaderEncoder {
 public:
  explicit HeaderEncoder(const TransportOptions& options);

  /// SETTINGS_HEADER_TABLE_SIZE. Until it comes, 4096.
  void limit_table(std::uint32_t size);

  /// The block to send now. Every block asked for must be sent, in this order. Valid until the next
  /// call. `path` must stay where it is.
  std::string_view block(std::string_view path);

 private:
  struct Field {
    std::string name;
    std::string value;
  };
  struct Known {
    std::string_view path;
    std::string block;
    std::size_t entries = 0;  // of the table when `block` was made
  };

  std::string encode(std::string_view path);
  void put(std::string& block, std::string_view name, std::string_view value);

  std::string first_;          // the fields that HPACK's static table has
  std::vector<Field> fields_;  // the same for all requests
  std::vector<Known> known_;
  std::vector<Field> table_;  // the peer's dynamic table, oldest first; nothing is ever evicted
  std::size_t table_size_ = 0;
  std::uint32_t limit_ = 4'096;
  bool announce_limit_ = false;
  std::string once_;
};

}  // namespace etcdmon::bench
