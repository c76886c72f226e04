// Text to tree, tree to text, and the words of a value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/codec.hpp"
#include "config/issue.hpp"
#include "config/suggest.hpp"
#include "config/yaml.hpp"

namespace etcdmon::config {
namespace {

using namespace std::chrono_literals;
using namespace literals;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Colour { kRed, kGreen };

}  // namespace

template <>
struct EnumNames<Colour> {
  static constexpr std::array kNames{std::pair<std::string_view, Colour>{"red", Colour::kRed},
                                     std::pair<std::string_view, Colour>{"green", Colour::kGreen}};
};

namespace {

TEST(ParseYaml, KeepsLinesQuotesAndRepeatedKeys) {
  const auto root = parse_yaml("a: 1\nb:\n  - \"x\"\n  - ~\na: {c: !!str 2}\n");
  ASSERT_TRUE(root);
  ASSERT_EQ(root->children.size(), 3U);
  EXPECT_EQ(root->children[0].kind, Node::Kind::kPlain);
  EXPECT_EQ(root->children[0].line, 1);
  const auto& list = root->children[1];
  EXPECT_EQ(list.line, 2);
  EXPECT_EQ(list.children.at(0).kind, Node::Kind::kText);
  EXPECT_EQ(list.children.at(0).line, 3);
  EXPECT_EQ(list.children.at(1).kind, Node::Kind::kNull);
  EXPECT_EQ(root->children[2].key, "a");
  EXPECT_EQ(root->children[2].find("c")->kind, Node::Kind::kText);
}

TEST(ParseYaml, NothingIsAnEmptyMap) {
  for (const auto* text : {"", "# only a comment\n", "---\n", "\n\n"}) {
    SCOPED_TRACE(text);
    const auto root = parse_yaml(text);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->kind, Node::Kind::kMap);
    EXPECT_THAT(root->children, IsEmpty());
  }
}

TEST(ParseYaml, ExpandsAliases) {
  const auto root = parse_yaml("a: &x {k: [1, 2]}\nb: *x\n");
  ASSERT_TRUE(root);
  const auto* copy = root->find("b");
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->line, 2);
  EXPECT_EQ(copy->children.at(0).children.size(), 2U);
}

TEST(ParseYaml, RefusesWithTheLine) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += fmt::format(
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
        i - 1);
  }
  // Each anchor keeps a copy of what stands in it.
  std::string nested;
  for (int i = 0; i < 400; ++i) nested += fmt::format("&a{} [", i);
  for (int i = 0; i < 1'000; ++i) nested += "1,";
  nested += std::string(400, ']');
  struct Case {
    std::string text;
    int line;
    const char* why;
  };
  for (const auto& [text, line, why] :
       {Case{"a: 1\n\tb: 2\n", 2, "tab"}, Case{"a: [1\n", 2, "end of sequence"},
        Case{"a: *nope\n", 1, "anchor"}, Case{"a: &a [*a]\n", 1, "inside of what it names"},
        Case{"a: 1\n---\nb: 2\n", 2, "second document"}, Case{"? [1]\n: 2\n", 1, "single word"},
        Case{"a: 1\nb: caf\xe9\n", 2, "not UTF-8"}, Case{"\xff\xfe", 1, "not UTF-8"},
        Case{"a: !thing 1\n", 1, "!thing"}, Case{laughs, 5, "too many values"},
        Case{nested, 1, "too many values under anchors"}, Case{std::string(20'000, '['), 1, ""}}) {
    SCOPED_TRACE(text.substr(0, 40));
    const auto root = parse_yaml(text);
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().line, line);
    EXPECT_THAT(root.error().message, HasSubstr(why));
  }
}

TEST(ToYaml, ReadsBackAsTheSame) {
  Node root = Node::map();
  root.set("plain", Node::plain("30s"));
  root.set("number", Node::number("8080"));
  root.set("flag", Node::boolean(true));
  root.set("nothing", Node::null());
  root.set("empty", Node::text_of(""));
  root.set("looks_like_a_number", Node::text_of("8080"));
  root.set("colon", Node::text_of("a: b # \"c\"\n"));
  root.set("off", Node::text_of("off"));
  root.set("words", Node::list().add(Node::text_of("x")).add(Node::text_of("y")));
  root.set("none", Node::list());
  Node entry = Node::map();
  entry.set("name", Node::text_of("a"));
  entry.set("tls", Node::map().set("on", Node::boolean(false)));
  root.set("entries", Node::list().add(entry).add(entry));
  const auto text = to_yaml(root);
  EXPECT_THAT(text,
              HasSubstr("entries:\n  - name: a\n    tls:\n      \"on\": false\n  - name: a\n"));
  EXPECT_THAT(text, HasSubstr("words:\n  - x\n  - \"y\"\n"));
  const auto again = parse_yaml(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->find("looks_like_a_number")->kind, Node::Kind::kText);
  EXPECT_EQ(again->find("colon")->text, "a: b # \"c\"\n");
  EXPECT_EQ(again->find("nothing")->kind, Node::Kind::kNull);
  EXPECT_EQ(again->find("none")->kind, Node::Kind::kList);
  EXPECT_EQ(again->find("entries")->children.at(1).find("tls")->find("on")->text, "false");
}

TEST(ToJson, KeepsTypes) {
  Node root = Node::map();
  root.set("d", Node::plain("30s"))
      .set("n", Node::number("1"))
      .set("l", Node::list())
      .set("z", Node::null());
  EXPECT_EQ(to_json(root), "{\n  \"d\": \"30s\",\n  \"n\": 1,\n  \"l\": [],\n  \"z\": null\n}");
}

TEST(Codec, TakesWhatItShows) {
  EXPECT_EQ(*Codec<std::chrono::milliseconds>::parse(Node::plain("1m30s")), 90s);
  EXPECT_EQ(*Codec<std::chrono::milliseconds>::parse(Node::text_of("250ms")), 250ms);
  EXPECT_EQ(*Codec<Duration>::parse(Node::plain("0")), 0s);
  EXPECT_EQ(*Codec<Bytes>::parse(Node::plain("16MiB")), 16_MiB);
  EXPECT_EQ(*Codec<Bytes>::parse(Codec<Bytes>::show(Bytes{4097})), Bytes{4097});
  EXPECT_EQ(*Codec<bool>::parse(Node::plain("false")), false);
  EXPECT_EQ(*Codec<int>::parse(Node::plain("-3")), -3);
  EXPECT_EQ(*Codec<std::uint16_t>::parse(Node::plain("65535")), 65535);
  EXPECT_EQ(*Codec<double>::parse(Node::plain("0.5")), 0.5);
  EXPECT_EQ(*Codec<std::string>::parse(Node::plain("0123")), "0123");
  EXPECT_EQ(Codec<Secret>::parse(Node::plain("s3"))->reveal(), "s3");
  EXPECT_EQ(*Codec<Colour>::parse(Node::plain("green")), Colour::kGreen);
  EXPECT_EQ(Codec<Colour>::show(Colour::kRed).text, "red");
}

template <class T>
std::string fault(const Node& node) {
  const auto value = Codec<T>::parse(node);
  return value ? "" : value.error().message;
}

TEST(Codec, SaysHowToWriteIt) {
  using Ms = std::chrono::milliseconds;
  EXPECT_THAT(fault<Ms>(Node::plain("30")), HasSubstr("30 has no unit; write 30s"));
  EXPECT_THAT(fault<Ms>(Node::plain("1us")), HasSubstr("least step is 1ms"));
  EXPECT_THAT(fault<Ms>(Node::plain("soon")), HasSubstr("not a duration"));
  EXPECT_THAT(fault<Bytes>(Node::plain("4096")), HasSubstr("write 4096B"));
  EXPECT_THAT(fault<std::uint16_t>(Node::plain("65536")), HasSubstr("out of range"));
  EXPECT_THAT(fault<std::uint16_t>(Node::plain("-1")), HasSubstr("0 or more"));
  EXPECT_THAT(fault<std::uint64_t>(Node::plain("18446744073709551616")), HasSubstr("out of range"));
  EXPECT_THAT(fault<int>(Node::plain("8x")), HasSubstr("not a whole number"));
  EXPECT_THAT(fault<int>(Node::text_of("8")), HasSubstr("in quotes"));
  EXPECT_THAT(fault<bool>(Node::plain("yes")), HasSubstr("not true or false"));
  EXPECT_THAT(fault<double>(Node::plain("nan")), HasSubstr("not a number"));
  EXPECT_THAT(fault<std::string>(Node::null()), HasSubstr("has no value"));
  EXPECT_THAT(fault<std::string>(Node::list()), HasSubstr("found a list"));
  EXPECT_EQ(fault<Colour>(Node::plain("gren")),
            "\"gren\" is not one of red, green; did you mean green?");
}

TEST(Closest, Table) {
  const std::vector<std::string> names = {"endpoints", "dial_timeout", "ca_file", "cert_file",
                                          "key"};
  struct Case {
    const char* word;
    const char* want;
  };
  for (const auto& [word, want] :
       {Case{"endpoint", "endpoints"}, Case{"endpionts", "endpoints"},
        Case{"dial-timeout", "dial_timeout"}, Case{"ca_fiel", "ca_file"}, Case{"Key", "key"},
        Case{"kye", "key"}, Case{"user", ""}, Case{"", ""}, Case{"something_else", ""}}) {
    EXPECT_EQ(closest(word, names), want) << word;
  }
}

TEST(Issue, SaysWhere) {
  EXPECT_EQ(to_string(Issue{{"c.yaml", 12}, "a.b", "is odd"}), "c.yaml:12: a.b: is odd");
  EXPECT_EQ(to_string(Issue{{"--flag", 0}, "", "is odd"}), "--flag: is odd");
  EXPECT_EQ(to_string(Issue{{}, "a.b", "is odd"}), "a.b: is odd");
}

}  // namespace
}  // namespace etcdmon::config
