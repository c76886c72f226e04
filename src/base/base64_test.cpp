#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace etcdmon {
namespace {

struct Case {
  const char* name;
  std::string_view text;
  std::optional<std::string> bytes;
  Base64 spelling = Base64::kUrl;
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class Base64Table : public ::testing::TestWithParam<Case> {};

TEST_P(Base64Table, ReadsAndWritesBack) {
  const auto& c = GetParam();
  EXPECT_EQ(decode_base64(c.text, c.spelling), c.bytes);
  if (c.bytes) {
    EXPECT_EQ(encode_base64(*c.bytes, c.spelling), c.text);
  }
}

// The first ones are those of RFC 4648 §10.
INSTANTIATE_TEST_SUITE_P(
    Table, Base64Table,
    ::testing::Values(
        Case{"Empty", "", ""}, Case{"One", "Zg", "f"}, Case{"Two", "Zm8", "fo"},
        Case{"Three", "Zm9v", "foo"}, Case{"Six", "Zm9vYmFy", "foobar"},
        Case{"UrlLetters", "-_-_", "\xfb\xff\xbf"},
        Case{"PlainLetters", "+/+/", "\xfb\xff\xbf", Base64::kPlain},
        Case{"PlainLettersInUrl", "+/+/", std::nullopt},
        Case{"UrlLettersInPlain", "-_-_", std::nullopt, Base64::kPlain},
        Case{"Padding", "Zg==", std::nullopt}, Case{"WhiteSpace", "Zm9v Zg", std::nullopt},
        Case{"NewLine", "Zm9v\n", std::nullopt}, Case{"Dot", "Zm9.v", std::nullopt},
        Case{"LetterTooMany", "Zm9vY", std::nullopt}, Case{"UnusedBitsOfOne", "Zh", std::nullopt},
        Case{"UnusedBitsOfTwo", "Zm9", std::nullopt}, Case{"HighByte", "Zm9\xff", std::nullopt},
        Case{"PaddedNone", "", "", Base64::kPadded},
        Case{"PaddedOne", "Zg==", "f", Base64::kPadded},
        Case{"PaddedTwo", "Zm8=", "fo", Base64::kPadded},
        Case{"PaddedThree", "+/+/", "\xfb\xff\xbf", Base64::kPadded},
        Case{"PaddingMissing", "Zg", std::nullopt, Base64::kPadded},
        Case{"PaddingOnly", "====", std::nullopt, Base64::kPadded},
        Case{"PaddingOfThree", "Z===", std::nullopt, Base64::kPadded},
        Case{"PaddingInside", "Zg==Zg==", std::nullopt, Base64::kPadded},
        Case{"PaddedUnusedBits", "Zh==", std::nullopt, Base64::kPadded}),
    ::testing::PrintToStringParamName());

TEST(Base64Text, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto part = bytes.substr(0, size);
    for (const auto spelling : {Base64::kUrl, Base64::kPlain, Base64::kPadded})
      EXPECT_EQ(decode_base64(encode_base64(part, spelling), spelling), part);
  }
}

}  // namespace
}  // namespace etcdmon
