// api/router.hpp: from method and path to the handler.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/access.hpp"
#include "api/caller.hpp"
#include "async/task.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// What stood for each `{name}` of the pattern, in its order.
class PathParameters {
 public:
  /// Empty for a name that the pattern does not have.
  std::string_view operator[](std::string_view name) const;
  void set(std::string name, std::string value);

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// Exact paths, and patterns with `{name}` for one segment. Exact paths win. HEAD goes to GET's
/// handler. An unknown path is a 404, a known one with another method a 405 with `Allow`.
///
/// Threads: the loop only.
class Router {
 public:
  /// The request, parameters and caller live until the returned task ends.
  using Handler =
      std::function<Task<net::Response>(const net::Request&, const PathParameters&, const Caller&)>;
  /// One to whom it does not matter who asks: what the route's Access says is enough.
  using PlainHandler =
      std::function<Task<net::Response>(const net::Request&, const PathParameters&)>;

  struct Route {
    std::string method;
    std::string pattern;
    Access access;
    std::string about;  ///< one line for people
  };

  void add(Route route, Handler handler);
  void add(Route route, PlainHandler handler);
  /// Whoever `caller` is must have been found to have the route's Access.
  Task<net::Response> dispatch(const net::Request& request, const Caller& caller) const;
  /// Null: dispatch() would say 404 or 405.
  const Route* find(const net::Request& request) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Method {
    std::string name;
    std::size_t route;  ///< in routes_
    Handler handler;
  };
  struct Path {
    std::vector<std::string> segments;  ///< of a pattern
    std::vector<Method> methods;        ///< in the order added
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  static const Method* find(const Path& path, std::string_view method);
  /// The parameters are set where it is a pattern. Null: no such path.
  const Path* find_path(const net::Request& request, PathParameters& parameters) const;
  static net::Response method_not_allowed(const Path& path, const net::Request& request);
  static Task<net::Response> with_parameters(const Handler& handler, const net::Request& request,
                                             PathParameters parameters, const Caller& caller);

  std::vector<Route> routes_;
  std::unordered_map<std::string, Path, Hash, std::equal_to<>> exact_;
  std::vector<std::pair<std::string, Path>> patterns_;
};

/// A task that has its answer already.
Task<net::Response> answered(net::Response response);

}  // namespace etcdmon::api
