#include <cstring>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/ctl/bolt/bolt_file.hpp"
#include "app/cli/ctl/bolt/snapshot_status.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kPage = 1024;
constexpr std::uint16_t kBranch = 1;
constexpr std::uint16_t kLeaf = 2;
constexpr std::uint16_t kMeta = 4;

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
  return hash;
}

struct Entry {
  std::string key;
  std::string value;
  bool bucket = false;
};

// A page with its elements, as long as they are.
std::string leaf(std::uint64_t id, const std::vector<Entry>& entries) {
  std::string page(16 + 16 * entries.size(), '\0');
  put(page, 0, id);
  put(page, 8, kLeaf);
  put(page, 10, static_cast<std::uint16_t>(entries.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto at = 16 + 16 * i;
    put(page, at, std::uint32_t{entries[i].bucket ? 1U : 0U});
    put(page, at + 4, static_cast<std::uint32_t>(page.size() - at));
    put(page, at + 8, static_cast<std::uint32_t>(entries[i].key.size()));
    put(page, at + 12, static_cast<std::uint32_t>(entries[i].value.size()));
    (page += entries[i].key) += entries[i].value;
  }
  return page;
}

std::string branch(std::uint64_t id,
                   const std::vector<std::pair<std::string, std::uint64_t>>& children) {
  std::string page(16 + 16 * children.size(), '\0');
  put(page, 0, id);
  put(page, 8, kBranch);
  put(page, 10, static_cast<std::uint16_t>(children.size()));
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto at = 16 + 16 * i;
    put(page, at, static_cast<std::uint32_t>(page.size() - at));
    put(page, at + 4, static_cast<std::uint32_t>(children[i].first.size()));
    put(page, at + 8, children[i].second);
    page += children[i].first;
  }
  return page;
}

std::string meta(std::uint64_t id, std::uint64_t pages, std::uint64_t transaction) {
  std::string page(80, '\0');
  put(page, 0, id);
  put(page, 8, kMeta);
  put(page, 16, std::uint32_t{0xED0CDAED});
  put(page, 20, std::uint32_t{2});
  put(page, 24, static_cast<std::uint32_t>(kPage));
  put(page, 32, std::uint64_t{3});
  put(page, 56, pages);
  put(page, 64, transaction);
  put(page, 72, fnv1a(std::string_view(page).substr(16, 56)));
  return page;
}

std::string header(std::uint64_t root) {
  std::string value(16, '\0');
  put(value, 0, root);
  return value;
}

std::string revision(std::uint64_t main, bool deleted = false) {
  std::string key(17, '\0');
  key[7] = static_cast<char>(main);
  key[8] = '_';
  return deleted ? key + "t" : key;
}

std::string pair(const std::string& key) {
  wire::KeyValue kv;
  kv.set_key(key);
  kv.set_value("v");
  return kv.SerializeAsString();
}

// Pages from 3 on.
std::string file_of(const std::vector<std::string>& pages) {
  std::string bytes;
  const auto add = [&bytes](std::string page) {
    page.resize(kPage);
    bytes += page;
  };
  add(meta(0, 3 + pages.size(), 7));
  add(meta(1, 3 + pages.size(), 8));
  add("");
  for (const auto& page : pages) add(page);
  return bytes;
}

// The key bucket in a tree of two leaves, a small bucket in the root.
std::string database() {
  return file_of(
      {leaf(3, {{"key", header(4), true},
                {"meta", header(0) + leaf(0, {{"storageVersion", "3.6.0"}}), true}}),
       branch(4, {{revision(2), 5}, {revision(4), 6}}),
       leaf(5, {{revision(2), pair("a")}, {revision(3), pair("b")}}),
       leaf(6,
            {{revision(4), pair("a")}, {revision(5, true), pair("b")}, {revision(6), pair("c")}})});
}

TEST(SnapshotStatus, CountsAsEtcdctlAndAsEtcdutl) {
  const auto bytes = database();
  const auto old = snapshot_status(bytes, Compat::k3_5);
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->revision, 6);
  EXPECT_EQ(old->total_keys, 6);
  EXPECT_EQ(old->total_size, static_cast<std::int64_t>(7 * kPage));
  EXPECT_EQ(old->version, "3.6.0");
  const auto recent = snapshot_status(bytes, Compat::k3_6);
  ASSERT_TRUE(recent);
  EXPECT_EQ(recent->total_keys, 2);
  EXPECT_EQ(recent->hash, old->hash);
}

TEST(SnapshotStatus, NewestValidMetaPageCounts) {
  auto bytes = database();
  bytes[40] ^= 1;
  EXPECT_TRUE(snapshot_status(bytes, Compat::k3_6));
  bytes[kPage + 40] ^= 1;
  EXPECT_EQ(snapshot_status(bytes, Compat::k3_6).error().message,
            "no bbolt file: it has no valid meta page");
}

struct Damage {
  const char* name;
  std::function<void(std::string&)> harm;
  std::string message;
  friend std::ostream& operator<<(std::ostream& os, const Damage& d) { return os << d.name; }
};

class DamagedSnapshot : public testing::TestWithParam<Damage> {};

TEST_P(DamagedSnapshot, IsRefused) {
  auto bytes = database();
  GetParam().harm(bytes);
  const auto status = snapshot_status(bytes, Compat::k3_6);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, DamagedSnapshot,
    testing::Values(
        Damage{"Empty", [](std::string& b) { b.clear(); }, "no valid meta page"},
        Damage{"Text", [](std::string& b) { b = std::string(9000, 'x'); }, "no valid meta page"},
        Damage{"CutOff", [](std::string& b) { b.resize(5 * kPage); }, "do not fit"},
        Damage{"ChildBeyond", [](std::string& b) { put(b, 4 * kPage + 24, std::uint64_t{99}); },
               "there is no page 99"},
        Damage{"Circle", [](std::string& b) { put(b, 4 * kPage + 24, std::uint64_t{4}); },
               "page 4 is reached twice"},
        Damage{"WrongId", [](std::string& b) { put(b, 5 * kPage, std::uint64_t{9}); },
               "page 5 says it is page 9"},
        Damage{"WrongKind", [](std::string& b) { put(b, 5 * kPage + 8, std::uint16_t{16}); },
               "page 5 is neither branch nor leaf"},
        Damage{"TooLong", [](std::string& b) { put(b, 5 * kPage + 12, std::uint32_t{1U << 31U}); },
               "page 5 is longer than the file"},
        Damage{"ManyElements", [](std::string& b) { put(b, 5 * kPage + 10, std::uint16_t{65535}); },
               "page 5"},
        Damage{"ElementOutside",
               [](std::string& b) { put(b, 5 * kPage + 20, std::uint32_t{5000}); },
               "element 0 of page 5 leaves the page"},
        Damage{"Disorder", [](std::string& b) { b[5 * kPage + 16 + 32 + 7] = 9; },
               "keys of page 5 are out of order"}),
    testing::PrintToStringParamName());

TEST(SnapshotChecksum, IsLookedFor) {
  auto bytes = database();
  EXPECT_EQ(checksum_of(bytes), Checksum::kNone);
  EXPECT_EQ(checksum_of(bytes + std::string(32, 'x')), Checksum::kWrong);
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
