#include "api/auth/users.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_text.hpp"

namespace etcdmon::api::auth {

namespace {

constexpr std::size_t kMostName = 255;

unsigned work_of(const ScryptCost& cost) {
  return (cost.block_size * cost.passes) << cost.log2_n;
}

}  // namespace

Result<Users> Users::make(std::vector<User> users) {
  Users made;
  for (auto& user : users) {
    if (!is_user_name(user.name)) {
      return Error{ErrorCode::kInvalidArgument,
                   "a user's name has 1 to 255 bytes, no colon and no control characters"};
    }
    if (made.find(user.name) != nullptr) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("user {} is there twice", user.name)};
    }
    made.users_.push_back(std::move(user));
  }
  const auto dearest = std::ranges::max_element(
      made.users_, {}, [](const User& user) { return work_of(user.password.cost()); });
  if (dearest != made.users_.end()) {
    made.nobody_ = PasswordHash::of_nobody(dearest->password.cost());
  }
  return made;
}

const User* Users::find(std::string_view name) const {
  const auto found = std::ranges::find(users_, name, &User::name);
  return found == users_.end() ? nullptr : &*found;
}

const PasswordHash& Users::password_of(std::string_view name) const {
  const auto* user = find(name);
  return user == nullptr ? nobody_ : user->password;
}

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName &&
         invalid_utf8_at(name) == std::string_view::npos &&
         std::ranges::none_of(name, [](char letter) {
           return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f || letter == ':';
         });
}

}  // namespace etcdmon::api::auth
