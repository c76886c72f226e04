#include "etcd/detail/checked_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/assert.hpp"

namespace etcdmon::etcd {

struct CheckedFile::Digest {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  Digest() = default;
  ~Digest() { EVP_MD_CTX_free(context); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
};

void CheckedFile::DropDigest::operator()(Digest* digest) const {
  delete digest;  // NOLINT(cppcoreguidelines-owning-memory)
}

CheckedFile::CheckedFile(std::string path)
    : path_(std::move(path)), part_(path_ + ".part.XXXXXX"), digest_(new Digest) {
  ETCDMON_ASSERT(EVP_DigestInit_ex(digest_->context, EVP_sha256(), nullptr) == 1);
}

CheckedFile::~CheckedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!part_.empty()) ::unlink(part_.c_str());
}

Error CheckedFile::failed(std::string_view doing) const {
  const int why = errno;
  auto code = ErrorCode::kInternal;
  if (why == ENOSPC || why == EDQUOT || why == EFBIG) code = ErrorCode::kResourceExhausted;
  if (why == ENOENT || why == ENOTDIR) code = ErrorCode::kNotFound;
  if (why == EACCES || why == EROFS || why == EPERM) code = ErrorCode::kPermissionDenied;
  return {code, fmt::format("{} {}: {}", doing, path_, std::strerror(why)), Cause::kLocal};
}

Result<std::shared_ptr<CheckedFile>> CheckedFile::create(std::string path) {
  std::error_code ignored;
  const auto there = std::filesystem::status(path, ignored).type();
  // A device or a folder is not to be replaced by a file.
  if (there != std::filesystem::file_type::regular &&
      there != std::filesystem::file_type::not_found && there != std::filesystem::file_type::none) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is there and is no regular file", path), Cause::kLocal};
  }
  std::shared_ptr<CheckedFile> file(new CheckedFile(std::move(path)));
  file->descriptor_ = ::mkostemp(file->part_.data(), O_CLOEXEC);  // readable for its owner only
  if (file->descriptor_ >= 0) return file;
  auto error = file->failed("creating");
  file->part_.clear();
  return error;
}

void CheckedFile::digest(std::string_view bytes) {
  ETCDMON_ASSERT(EVP_DigestUpdate(digest_->context, bytes.data(), bytes.size()) == 1);
}

Result<void> CheckedFile::write(std::string_view bytes) {
  for (auto rest = bytes; !rest.empty();) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("writing");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += bytes.size();
  // The sum covers all but the last bytes, which may come in any split.
  if (bytes.size() >= kSum) {
    digest(tail_);
    digest(bytes.substr(0, bytes.size() - kSum));
    tail_ = bytes.substr(bytes.size() - kSum);
  } else {
    tail_ += bytes;
    const auto known = tail_.size() - std::min(tail_.size(), kSum);
    digest(std::string_view(tail_).substr(0, known));
    tail_.erase(0, known);
  }
  return {};
}

Result<void> CheckedFile::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  ETCDMON_ASSERT(EVP_DigestFinal_ex(digest_->context, sum.data(), &length) == 1);
  if (tail_.size() != kSum || length != kSum || std::memcmp(tail_.data(), sum.data(), kSum) != 0) {
    return Error{ErrorCode::kDataLoss,
                 "the snapshot's SHA-256 is not the one that the server sent; nothing was saved",
                 Cause::kProtocol};
  }
  if (::fsync(descriptor_) != 0) return failed("syncing");
  if (::close(std::exchange(descriptor_, -1)) != 0) return failed("closing");
  if (::rename(part_.c_str(), path_.c_str()) != 0) return failed("renaming to");
  part_.clear();
  const auto folder = std::filesystem::path(path_).parent_path();
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failed("syncing the folder of");
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  ::close(descriptor);
  if (!synced) return failed("syncing the folder of");
  return {};
}

}  // namespace etcdmon::etcd
