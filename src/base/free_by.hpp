// base/free_by.hpp: owners for objects of C libraries.
#pragma once

namespace etcdmon {

/// The deleter of a unique_ptr whose object is freed by a function:
/// `std::unique_ptr<SSL, FreeBy<SSL_free>>`. It takes no room.
template <auto Free>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace etcdmon
