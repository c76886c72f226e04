#include "base/shared_library.hpp"

#include <stdexcept>

#include <dlfcn.h>
#include <fmt/format.h>

namespace etcdmon {

SharedLibrary::SharedLibrary(const char* soname, const char* package)
    : handle_(::dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)),
      soname_(soname),
      package_(package) {
  if (handle_ == nullptr) throw std::runtime_error(missing("cannot be loaded"));
}

void* SharedLibrary::find(const char* symbol) const {
  void* const found = ::dlsym(handle_, symbol);
  if (found == nullptr) throw std::runtime_error(missing(fmt::format("has no {}", symbol)));
  return found;
}

std::string SharedLibrary::missing(const std::string& what) const {
  const char* const why = ::dlerror();
  return fmt::format("{} {} ({}): install the package {}", soname_, what, why ? why : "unknown why",
                     package_);
}

}  // namespace etcdmon
