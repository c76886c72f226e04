// etcd/detail/checked_file.hpp: a file that ends with the SHA-256 of what stands before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::etcd {

/// Written beside its final name, which it gets when it is whole; removed unless it was.
///
/// Threads: one at a time; every call may block.
class CheckedFile {
 public:
  static constexpr std::size_t kSum = 32;

  static Result<std::shared_ptr<CheckedFile>> create(std::string path);
  ~CheckedFile();
  CheckedFile(const CheckedFile&) = delete;
  CheckedFile& operator=(const CheckedFile&) = delete;

  Result<void> write(std::string_view bytes);
  /// Checks the sum at the end, syncs, and renames.
  Result<void> finish();
  std::uint64_t size() const { return size_; }

 private:
  explicit CheckedFile(std::string path);

  struct Digest;
  struct DropDigest {
    void operator()(Digest* digest) const;
  };

  void digest(std::string_view bytes);
  Error failed(std::string_view doing) const;

  std::string path_;
  std::string part_;  ///< name until it is whole; empty: no such file any more
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::unique_ptr<Digest, DropDigest> digest_;
  std::string tail_;  ///< the last bytes, which may be the sum
};

}  // namespace etcdmon::etcd
