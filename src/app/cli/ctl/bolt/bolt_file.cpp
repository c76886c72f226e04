#include "app/cli/ctl/bolt/bolt_file.hpp"

#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace etcdmon::app::cli::ctl {

namespace {

static_assert(std::endian::native == std::endian::little, "bbolt writes in the machine's order");

constexpr std::uint32_t kMagic = 0xED0CDAED;
constexpr std::uint32_t kVersion = 2;
constexpr std::uint16_t kBranchPage = 0x01;
constexpr std::uint16_t kLeafPage = 0x02;
constexpr std::uint16_t kMetaPage = 0x04;
constexpr std::uint32_t kBucketElement = 0x01;
constexpr std::size_t kPageHeader = 16;
constexpr std::size_t kElement = 16;
constexpr std::size_t kBucketHeader = 16;
constexpr std::size_t kMetaSize = 64;
constexpr std::size_t kMetaSum = 56;
// Trees branch at least twofold; deeper ones than this are a circle.
constexpr int kDeepest = 64;

template <class T>
T number_at(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

Error damaged(std::string message) {
  return Error{ErrorCode::kDataLoss, "damaged: " + std::move(message)};
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

struct Meta {
  std::uint64_t page_size = 0;
  std::uint64_t root = 0;
  std::uint64_t pages = 0;
  std::uint64_t transaction = 0;
};

std::optional<Meta> read_meta(std::string_view bytes, std::size_t offset) {
  if (bytes.size() < offset + kPageHeader + kMetaSize) return std::nullopt;
  const auto page = bytes.substr(offset);
  const auto meta = page.substr(kPageHeader, kMetaSize);
  const bool valid = (number_at<std::uint16_t>(page, 8) & kMetaPage) != 0 &&
                     number_at<std::uint32_t>(meta, 0) == kMagic &&
                     number_at<std::uint32_t>(meta, 4) == kVersion &&
                     number_at<std::uint64_t>(meta, kMetaSum) == fnv1a(meta.substr(0, kMetaSum));
  if (!valid) return std::nullopt;
  return Meta{.page_size = number_at<std::uint32_t>(meta, 8),
              .root = number_at<std::uint64_t>(meta, 16),
              .pages = number_at<std::uint64_t>(meta, 40),
              .transaction = number_at<std::uint64_t>(meta, 48)};
}

struct Page {
  std::uint64_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t count = 0;
  std::string_view bytes{};  ///< with its overflow
};

struct Element {
  std::string_view key{};
  std::string_view value{};
  bool is_bucket = false;
  std::uint64_t child = 0;
};

class Walk {
 public:
  Walk(std::string_view bytes, std::uint64_t page_size, std::uint64_t pages,
       const BoltFile::Visitor& visitor)
      : bytes_(bytes), page_size_(page_size), seen_(pages), visitor_(visitor) {}

  Result<void> buckets(std::uint64_t root) {
    return tree(root, 0, [this](const Element& element) -> Result<void> {
      if (!element.is_bucket) return damaged("a key outside of all buckets");
      if (const auto done = visitor_.bucket_seen(element.key); !done) return done;
      return keys(element.key, element.value);
    });
  }

 private:
  using Visit = std::function<Result<void>(const Element&)>;

  Result<Page> load(std::uint64_t id) {
    if (id < 2 || id >= seen_.size()) return damaged(fmt::format("there is no page {}", id));
    const auto offset = id * page_size_;
    if (offset + page_size_ > bytes_.size()) {
      return damaged(fmt::format("the file ends before page {}", id));
    }
    auto rest = bytes_.substr(offset);
    Page page{.id = id,
              .flags = number_at<std::uint16_t>(rest, 8),
              .count = number_at<std::uint16_t>(rest, 10)};
    const std::uint64_t length = 1 + std::uint64_t{number_at<std::uint32_t>(rest, 12)};
    if (number_at<std::uint64_t>(rest, 0) != id) {
      return damaged(
          fmt::format("page {} says it is page {}", id, number_at<std::uint64_t>(rest, 0)));
    }
    if (id + length > seen_.size() || length * page_size_ > rest.size()) {
      return damaged(fmt::format("page {} is longer than the file", id));
    }
    for (std::uint64_t i = id; i < id + length; ++i) {
      if (seen_[i]) return damaged(fmt::format("page {} is reached twice", i));
      seen_[i] = true;
    }
    page.bytes = rest.substr(0, length * page_size_);
    return page;
  }

  static Result<Element> element_of(const Page& page, std::size_t index) {
    const auto at = kPageHeader + index * kElement;
    if (at + kElement > page.bytes.size()) {
      return damaged(fmt::format("page {} has too many elements", page.id));
    }
    Element element;
    std::size_t offset = 0;
    std::size_t key_size = 0;
    std::size_t value_size = 0;
    if (page.flags == kLeafPage) {
      element.is_bucket = (number_at<std::uint32_t>(page.bytes, at) & kBucketElement) != 0;
      offset = number_at<std::uint32_t>(page.bytes, at + 4);
      key_size = number_at<std::uint32_t>(page.bytes, at + 8);
      value_size = number_at<std::uint32_t>(page.bytes, at + 12);
    } else {
      offset = number_at<std::uint32_t>(page.bytes, at);
      key_size = number_at<std::uint32_t>(page.bytes, at + 4);
      element.child = number_at<std::uint64_t>(page.bytes, at + 8);
    }
    if (at + offset + key_size + value_size > page.bytes.size()) {
      return damaged(fmt::format("element {} of page {} leaves the page", index, page.id));
    }
    element.key = page.bytes.substr(at + offset, key_size);
    element.value = page.bytes.substr(at + offset + key_size, value_size);
    return element;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which is checked
  Result<void> elements(const Page& page, int depth, const Visit& visit) {
    if (page.flags != kLeafPage && page.flags != kBranchPage) {
      return damaged(fmt::format("page {} is neither branch nor leaf", page.id));
    }
    for (std::size_t i = 0; i < page.count; ++i) {
      const auto element = element_of(page, i);
      if (!element) return element.error();
      if (page.flags == kBranchPage) {
        if (const auto done = tree(element->child, depth + 1, visit); !done) return done;
        continue;
      }
      if (has_last_ && element->key <= last_) {
        return damaged(fmt::format("keys of page {} are out of order", page.id));
      }
      last_ = element->key;
      has_last_ = true;
      if (const auto done = visit(*element); !done) return done;
    }
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<void> tree(std::uint64_t root, int depth, const Visit& visit) {
    if (depth > kDeepest) return damaged("the tree does not end");
    const auto page = load(root);
    if (!page) return page.error();
    return elements(*page, depth, visit);
  }

  // The keys of a bucket: in a tree of their own, or, where they are few, in its value.
  // NOLINTNEXTLINE(misc-no-recursion)
  Result<void> keys(std::string_view bucket, std::string_view value) {
    if (value.size() < kBucketHeader) return damaged("a bucket without its header");
    const Visit visit = [this, bucket](const Element& element) -> Result<void> {
      if (element.is_bucket) return damaged("a bucket in a bucket");
      return visitor_.key_seen(bucket, element.key, element.value);
    };
    const auto outer = std::exchange(last_, {});
    has_last_ = false;
    const auto root = number_at<std::uint64_t>(value, 0);
    Result<void> done;
    if (root != 0) {
      done = tree(root, 0, visit);
    } else if (value.size() < kBucketHeader + kPageHeader) {
      done = damaged("a bucket without its page");
    } else {
      const auto bytes = value.substr(kBucketHeader);
      done = elements(Page{.flags = number_at<std::uint16_t>(bytes, 8),
                           .count = number_at<std::uint16_t>(bytes, 10),
                           .bytes = bytes},
                      0, visit);
    }
    last_ = outer;
    has_last_ = true;
    return done;
  }

  std::string_view bytes_;
  std::uint64_t page_size_;
  std::vector<bool> seen_;
  const BoltFile::Visitor& visitor_;
  std::string_view last_{};  ///< of the bucket that is being read
  bool has_last_ = false;
};

Error system_error(const std::string& path) {
  return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
               fmt::format("{}: {}", path, std::generic_category().message(errno))};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path);
  struct stat stat{};
  void* data = MAP_FAILED;
  if (::fstat(descriptor, &stat) == 0 && stat.st_size > 0) {
    data = ::mmap(nullptr, static_cast<std::size_t>(stat.st_size), PROT_READ, MAP_PRIVATE,
                  descriptor, 0);
  }
  auto error = system_error(path);
  ::close(descriptor);
  if (stat.st_size == 0) return Error{ErrorCode::kInvalidArgument, path + ": the file is empty"};
  if (data == MAP_FAILED) return error;
  return MappedFile(static_cast<const char*>(data), static_cast<std::size_t>(stat.st_size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

Result<BoltFile> BoltFile::read(std::string_view bytes) {
  auto best = read_meta(bytes, 0);
  // Where the first meta page is damaged nothing says how long a page is: try what is usual.
  for (std::size_t page_size = 1024; page_size <= 65536; page_size *= 2) {
    if (best && best->page_size != page_size) continue;
    const auto second = read_meta(bytes, page_size);
    if (second && second->page_size == page_size &&
        (!best || second->transaction > best->transaction)) {
      best = second;
    }
  }
  if (!best) return Error{ErrorCode::kInvalidArgument, "no bbolt file: it has no valid meta page"};
  const bool sane = std::has_single_bit(best->page_size) && best->page_size >= 1024 &&
                    best->pages >= 3 && best->pages <= bytes.size() / best->page_size;
  if (!sane) {
    return damaged(fmt::format("{} pages of {} bytes do not fit in the file's {}", best->pages,
                               best->page_size, bytes.size()));
  }
  return BoltFile(bytes, best->page_size, best->pages, best->root);
}

Result<void> BoltFile::visit(const Visitor& visitor) const {
  return Walk(bytes_, page_size_, pages_, visitor).buckets(root_);
}

}  // namespace etcdmon::app::cli::ctl
