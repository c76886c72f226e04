#include "app/named_files.hpp"

#include <glob.h>

namespace etcdmon::app {

std::vector<std::string> files_named(const std::string& name) {
  if (name.find_first_of("*?[") == std::string::npos) return {name};
  std::vector<std::string> files;
  ::glob_t found{};
  if (::glob(name.c_str(), 0, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

}  // namespace etcdmon::app
