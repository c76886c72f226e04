// base/shared_library.hpp: libraries of the system that are loaded when they are first needed.
#pragma once

#include <string>

namespace etcdmon {

/// One library, for what not every run uses: libcurl alone brings 25 others, which cost a process
/// that sends nothing 4 MB and each start some milliseconds. Its headers are compiled against as
/// always, only the linking is done here; it is never unloaded.
///
/// Threads: any; bind before sharing what was bound.
class SharedLibrary {
 public:
  /// Throws std::runtime_error with the name of the Debian package that has it.
  SharedLibrary(const char* soname, const char* package);

  /// Gives `into` the function or variable of that name; throws as above.
  template <class T>
  void bind(T*& into, const char* symbol) const {
    into = reinterpret_cast<T*>(find(symbol));
  }

 private:
  void* find(const char* symbol) const;
  std::string missing(const std::string& what) const;

  void* handle_ = nullptr;
  const char* soname_;
  const char* package_;
};

}  // namespace etcdmon
