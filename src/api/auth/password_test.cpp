#include "api/auth/password.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr ScryptCost kCheap{.log2_n = 14, .block_size = 8, .passes = 1};
const Secret kPassword("correct horse battery");

std::string salt_of(std::size_t letters) {
  return std::string(letters, 'A');
}

TEST(Password, MatchesItsOwnHashOnly) {
  const auto hash = hash_password(kPassword, kCheap);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->matches(kPassword));
  EXPECT_FALSE(hash->matches(Secret("correct horse batterz")));
  EXPECT_FALSE(hash->matches(Secret("")));
  EXPECT_FALSE(hash->matches(Secret(std::string(1025, 'x'))));

  const auto text = hash->text();
  EXPECT_THAT(text, StartsWith("$scrypt$ln=14,r=8,p=1$"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("horse")));
  const auto read = PasswordHash::parse(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), text);
  EXPECT_EQ(read->cost(), kCheap);
  EXPECT_TRUE(read->matches(kPassword));
}

TEST(Password, IsSaltedAnew) {
  EXPECT_NE(hash_password(kPassword, kCheap)->text(), hash_password(kPassword, kCheap)->text());
}

TEST(Password, IsHashedAsScryptSays) {
  // Python's hashlib.scrypt(b"correct horse battery", salt=b"0123456789abcdef", n=2**14, r=8, p=1,
  // dklen=32).
  const auto hash = PasswordHash::parse(
      "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ebnHHTApWa0oNoXTYCCHxLXDaejcvcTRQhZaD1OJNCE");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->matches(kPassword));
}

TEST(Password, IsNotTooShortNorTooLong) {
  EXPECT_FALSE(hash_password(Secret("elevenbytes"), kCheap));
  EXPECT_FALSE(hash_password(Secret(std::string(1025, 'x')), kCheap));
  EXPECT_FALSE(hash_password(kPassword, {.log2_n = 13}));
  EXPECT_FALSE(hash_password(kPassword, {.log2_n = 18}));
}

TEST(Password, NobodyHasOne) {
  const auto nobody = PasswordHash::of_nobody(kCheap);
  EXPECT_FALSE(nobody.matches(kPassword));
  EXPECT_FALSE(nobody.matches(Secret("")));
  EXPECT_EQ(nobody.cost(), kCheap);
}

struct Case {
  const char* name;
  std::string text;
  const char* message;  // empty: it is taken
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

std::string with_cost(std::string_view cost) {
  return fmt::format("$scrypt${}${}${}", cost, salt_of(22), salt_of(43));
}

std::string with_parts(std::string_view salt, std::string_view hash) {
  return fmt::format("$scrypt$ln=15,r=8,p=3${}${}", salt, hash);
}

class PasswordTexts : public ::testing::TestWithParam<Case> {};

TEST_P(PasswordTexts, AreTakenOrRefused) {
  const auto hash = PasswordHash::parse(GetParam().text);
  const auto outcome = hash ? std::string() : hash.error().message;
  if (*GetParam().message == '\0') {
    EXPECT_EQ(outcome, "");
    EXPECT_EQ(hash->text(), GetParam().text);
  } else {
    EXPECT_THAT(outcome, HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, PasswordTexts,
    ::testing::Values(Case{"Default", with_cost("ln=15,r=8,p=3"), ""},
                      Case{"Least", with_cost("ln=14,r=8,p=1"), ""},
                      Case{"Most", with_cost("ln=17,r=8,p=8"), ""},
                      Case{"TooCheap", with_cost("ln=13,r=8,p=1"), "costs"},
                      Case{"TooMuchMemory", with_cost("ln=18,r=8,p=1"), "costs"},
                      Case{"BlockTooBig", with_cost("ln=14,r=16,p=1"), "costs"},
                      Case{"NoPasses", with_cost("ln=14,r=8,p=0"), "costs"},
                      Case{"TooManyPasses", with_cost("ln=14,r=8,p=9"), "costs"},
                      Case{"BeyondIntegers", with_cost("ln=99999999999,r=8,p=1"), "costs"},
                      Case{"Negative", with_cost("ln=-1,r=8,p=1"), "costs"},
                      Case{"LeadingZero", with_cost("ln=014,r=8,p=1"), "costs"},
                      Case{"OtherOrder", with_cost("r=8,ln=14,p=1"), "costs"},
                      Case{"CostMissing", with_cost("ln=14,r=8"), "costs"},
                      Case{"LongestSalt", with_parts(salt_of(86), salt_of(43)), ""},
                      Case{"SaltTooShort", with_parts(salt_of(20), salt_of(43)), "salt"},
                      Case{"SaltTooLong", with_parts(salt_of(87), salt_of(43)), "salt"},
                      Case{"SaltPadded", with_parts(salt_of(22) + "==", salt_of(43)), "salt"},
                      Case{"HashTooShort", with_parts(salt_of(22), salt_of(42)), "hash"},
                      Case{"HashMissing", with_parts(salt_of(22), ""), "hash"},
                      Case{"PartMissing", "$scrypt$ln=15,r=8,p=3$" + salt_of(22), "form"},
                      Case{"PartTooMany", with_cost("ln=15,r=8,p=3") + "$", "form"},
                      Case{"OtherScheme", "$argon2id$v=19$m=65536,t=3,p=4$" + salt_of(22), "form"},
                      Case{"PlainText", "hunter2hunter2", "form"}, Case{"Nothing", "", "form"},
                      Case{"VeryLong", std::string(1'000, '$'), "256"}),
    ::testing::PrintToStringParamName());

}  // namespace
}  // namespace etcdmon::api::auth
