#include "app/queue_settings.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Url {
  const char* name;
  std::string url;
  RedisAddress want;
  const char* fault = "";
  friend std::ostream& operator<<(std::ostream& os, const Url& u) { return os << u.name; }
};

class RedisUrl : public testing::TestWithParam<Url> {};

TEST_P(RedisUrl, IsReadOrRefused) {
  const auto& [name, url, want, fault] = GetParam();
  const auto parsed = parse_redis_url(url);
  if (std::string_view(fault).empty()) {
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, want);
  } else {
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, HasSubstr(fault));
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("s3cret")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, RedisUrl,
    testing::Values(
        Url{"Plain", "redis://redis-0:6380", {{.host = "redis-0", .port = 6380}, 0}},
        Url{"UsualPort", "redis://10.0.0.1", {{.host = "10.0.0.1", .port = 6379}, 0}},
        Url{"Tls", "rediss://redis-0/", {{.tls = true, .host = "redis-0", .port = 6379}, 0}},
        Url{"Database", "redis://redis-0:6379/7", {{.host = "redis-0", .port = 6379}, 7}},
        Url{"NoScheme", "redis-0:6379", {{.host = "redis-0", .port = 6379}, 0}},
        Url{"Ipv6", "rediss://[::1]:7000/1", {{.tls = true, .host = "::1", .port = 7000}, 1}},
        Url{"Login", "redis://me:s3cret@redis-0", {}, "do not belong into a URL"},
        Url{"Http", "https://redis-0", {}, "must begin with redis://"},
        Url{"NoNumber", "redis://redis-0/queue", {}, "is no database"},
        Url{"NoHost", "redis://", {}, "\""}),
    testing::PrintToStringParamName());

TEST(RedisSettings, AUserNeedsAPasswordAndACertificateItsKey) {
  RedisSettings settings;
  EXPECT_TRUE(settings.check().empty());
  settings.username = "monitor";
  settings.tls.cert_file = "client.pem";
  const auto complaints = settings.check();
  ASSERT_EQ(complaints.size(), 2U);
  EXPECT_EQ(complaints[0].key, "username");
  EXPECT_EQ(complaints[1].key, "tls.cert_file");
}

}  // namespace
}  // namespace etcdmon::app
