// api/auth/users.hpp: people whose passwords are kept here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/auth/password.hpp"
#include "base/result.hpp"

namespace etcdmon::api::auth {

struct User {
  std::string name;
  PasswordHash password;
  std::vector<std::string> roles{};
};

/// Threads: immutable, may be shared.
class Users {
 public:
  Users() : nobody_(PasswordHash::of_nobody()) {}
  /// Errors: kInvalidArgument: a name that is there twice, empty, longer than 255 bytes, or has a
  /// colon or control characters, which HTTP's Basic cannot carry.
  static Result<Users> make(std::vector<User> users);

  /// Null: there is none.
  const User* find(std::string_view name) const;
  /// What a password is held against, whether there is such a user or not: the time it takes tells
  /// nothing. That is exact where all hashes have the same costs; else nobody's is as dear as the
  /// dearest.
  const PasswordHash& password_of(std::string_view name) const;
  bool empty() const { return users_.empty(); }

 private:
  std::vector<User> users_;
  PasswordHash nobody_;
};

bool is_user_name(std::string_view name);

}  // namespace etcdmon::api::auth
