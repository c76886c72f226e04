// app/cli/ctl/bolt/bolt_file.hpp: reads bbolt files, which etcd's databases and snapshots are;
// never trusts a byte of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// A file in memory, mapped read-only.
///
/// Lifetime: views into it end with it.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, std::size_t size) : data_(data), size_(size) {}

  const char* data_;
  std::size_t size_;
};

/// The database in `bytes`: buckets, and their keys in order.
///
/// Errors:   kDataLoss: it is damaged, and where; kInvalidArgument: it is no bbolt file.
/// Lifetime: the bytes must outlive it and all views it gives.
class BoltFile {
 public:
  static Result<BoltFile> read(std::string_view bytes);

  /// What the database says it needs; a file may be longer.
  std::uint64_t size() const { return pages_ * page_size_; }

  /// Every bucket in order, and every key of each. `bucket_seen` comes before its keys.
  struct Visitor {
    std::function<Result<void>(std::string_view bucket)> bucket_seen;
    std::function<Result<void>(std::string_view bucket, std::string_view key,
                               std::string_view value)>
        key_seen;
  };
  Result<void> visit(const Visitor& visitor) const;

 private:
  BoltFile(std::string_view bytes, std::uint64_t page_size, std::uint64_t pages, std::uint64_t root)
      : bytes_(bytes), page_size_(page_size), pages_(pages), root_(root) {}

  std::string_view bytes_;
  std::uint64_t page_size_;
  std::uint64_t pages_;
  std::uint64_t root_;
};

}  // namespace etcdmon::app::cli::ctl
