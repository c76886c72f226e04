#include "app/version.hpp"

namespace etcdmon::app {

std::string_view version() {
  return ETCDMON_VERSION;
}

std::string_view compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace etcdmon::app
