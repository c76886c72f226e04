#include "base/shared_library.hpp"

#include <stdexcept>

#include <gmock/gmock.h>

namespace etcdmon {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SharedLibrary, GivesItsFunctions) {
  const SharedLibrary library("libm.so.6", "libc6");
  double (*cosine)(double) = nullptr;
  library.bind(cosine, "cos");
  EXPECT_EQ(cosine(0.0), 1.0);
}

TEST(SharedLibrary, SaysWhatToInstall) {
  EXPECT_THAT([] { SharedLibrary("libnone.so.1", "libnone1"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("install the package libnone1")));
  const SharedLibrary library("libm.so.6", "libc6");
  double (*none)(double) = nullptr;
  EXPECT_THAT([&] { library.bind(none, "no_such_function"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("libm.so.6 has no no_such_function")));
}

}  // namespace
}  // namespace etcdmon
