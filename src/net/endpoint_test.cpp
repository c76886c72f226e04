#include "net/endpoint.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::net {
namespace {

struct Good {
  const char* name;
  const char* text;
  Endpoint want;
  const char* url;
  friend std::ostream& operator<<(std::ostream& os, const Good& c) { return os << c.name; }
};

class ParseEndpoint : public testing::TestWithParam<Good> {};

TEST_P(ParseEndpoint, Accepts) {
  const auto endpoint = parse_endpoint(GetParam().text);
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ(*endpoint, GetParam().want);
  EXPECT_EQ(endpoint->url(), GetParam().url);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseEndpoint,
    testing::Values(
        Good{"HostAndPort",
             "etcd-1.example:2381",
             {false, "etcd-1.example", 2381, false},
             "http://etcd-1.example:2381"},
        Good{"HostAlone", "localhost", {false, "localhost", 2379, false}, "http://localhost:2379"},
        Good{"Http",
             "http://10.0.0.1:2379",
             {false, "10.0.0.1", 2379, true},
             "http://10.0.0.1:2379"},
        Good{"Https", "https://etcd:2379/", {true, "etcd", 2379, true}, "https://etcd:2379"},
        Good{"Ipv6", "https://[::1]:2379", {true, "::1", 2379, true}, "https://[::1]:2379"},
        Good{"Ipv6WithoutPort",
             "[fe80::1%eth0]",
             {false, "fe80::1%eth0", 2379, false},
             "http://[fe80::1%eth0]:2379"},
        Good{"Underscore", "etcd_1:65535", {false, "etcd_1", 65535, false}, "http://etcd_1:65535"}),
    testing::PrintToStringParamName());

struct Bad {
  const char* name;
  const char* text;
  const char* why;
  friend std::ostream& operator<<(std::ostream& os, const Bad& c) { return os << c.name; }
};

class RefuseEndpoint : public testing::TestWithParam<Bad> {};

TEST_P(RefuseEndpoint, SaysWhy) {
  const auto endpoint = parse_endpoint(GetParam().text);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(endpoint.error().message, testing::HasSubstr(GetParam().why));
  EXPECT_THAT(endpoint.error().message, testing::HasSubstr("write host:port"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefuseEndpoint,
    testing::Values(Bad{"Empty", "", "the host is missing"},
                    Bad{"PortOnly", ":2379", "the host is missing"},
                    Bad{"PortZero", "etcd:0", "\"0\" is no port"},
                    Bad{"PortTooLarge", "etcd:65536", "\"65536\" is no port"},
                    Bad{"PortEmpty", "etcd:", "\"\" is no port"},
                    Bad{"PortSigned", "etcd:+1", "\"+1\" is no port"},
                    Bad{"PortWithTail", "etcd:2379x", "\"2379x\" is no port"},
                    Bad{"Path", "http://etcd:2379/metrics", "it has a path"},
                    Bad{"Query", "http://etcd:2379?x", "it has a path"},
                    Bad{"Scheme", "unix:///run/etcd", "the scheme \"unix\" is not known"},
                    Bad{"Ipv6WithoutBrackets", "::1:2379", "it has several colons"},
                    Bad{"BracketOpen", "[::1:2379", "a bracket is not closed"},
                    Bad{"BracketWithName", "[etcd]:2379", "no IPv6 address"},
                    Bad{"AfterBracket", "[::1]2379", "after ] comes :port"},
                    Bad{"Space", "et cd:2379", "no valid host name"},
                    Bad{"Newline", "etcd\n:2379", "no valid host name"},
                    Bad{"Comma", "a:2379,b:2379", "several colons"}),
    testing::PrintToStringParamName());

TEST(Endpoint, NeverRepeatsAPassword) {
  const auto endpoint = parse_endpoint("http://root:hunter2@etcd:2379");
  ASSERT_FALSE(endpoint);
  EXPECT_THAT(endpoint.error().message, testing::Not(testing::HasSubstr("hunter2")));
}

}  // namespace
}  // namespace etcdmon::net
