// base/result.hpp: a value, or the Error that says why there is none.
#pragma once

#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

#include "base/error.hpp"

namespace etcdmon {

/// A value or an Error. Dropping one is a compiler warning, hence an error here.
///
/// Always default-constructible (as an Error "unset"), also where T is not: Asio's co_spawn
/// needs a T() for coroutines that end by exception.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  Result() : Base(tl::unexpect, Error{}) {}
  Result(Error error)
      : Base(tl::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  template <class U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : Base(std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}         // NOLINT(google-explicit-constructor)
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
  using Base = tl::expected<void, Error>;

 public:
  Result() = default;  ///< success: there is no value that could be missing
  Result(Error error)
      : Base(tl::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}   // NOLINT(google-explicit-constructor)
};

}  // namespace etcdmon

/// For plain functions (not coroutines): `ETCDMON_TRY(auto x, parse(text));` returns the error.
#define ETCDMON_TRY_NAME2(line) etcdmon_try_##line
#define ETCDMON_TRY_NAME(line) ETCDMON_TRY_NAME2(line)
#define ETCDMON_TRY(decl, expr)                                                          \
  auto ETCDMON_TRY_NAME(__LINE__) = (expr);                                              \
  if (!ETCDMON_TRY_NAME(__LINE__)) return std::move(ETCDMON_TRY_NAME(__LINE__)).error(); \
  decl = *std::move(ETCDMON_TRY_NAME(__LINE__))
