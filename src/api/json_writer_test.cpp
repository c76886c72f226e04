#include "api/json_writer.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace etcdmon::api {
namespace {

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object().member("a", 1).key("b").begin_array().value("x").begin_object().end_object();
  json.begin_array().end_array().null().end_array().member("c", true).end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"b":["x",{},[],null],"c":true})");
}

TEST(JsonWriter, NumbersAreExactAndFinite) {
  JsonWriter json;
  json.begin_array();
  json.value(10276657743932975437ULL).value(std::numeric_limits<std::int64_t>::min());
  json.value(2.5).value(1250.0).value(1e300).value(0.1);
  json.value(std::nan("")).value(std::numeric_limits<double>::infinity());
  json.end_array();
  EXPECT_EQ(json.take(),
            "[10276657743932975437,-9223372036854775808,2.5,1250,1e+300,0.1,null,null]");
}

TEST(JsonWriter, UnknownIsNull) {
  JsonWriter json;
  json.begin_object().member("a", std::optional<double>()).member("b", std::optional(false));
  json.member_or_null("c", "").member_or_null("d", "x").end_object();
  EXPECT_EQ(json.take(), R"({"a":null,"b":false,"c":null,"d":"x"})");
}

TEST(JsonWriter, EscapesKeysAndText) {
  JsonWriter json;
  json.begin_object().member("a\"b", std::string("line\n\x01\xff")).end_object();
  EXPECT_EQ(json.take(), "{\"a\\\"b\":\"line\\n\\u0001\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace etcdmon::api
