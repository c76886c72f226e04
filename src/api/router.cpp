#include "api/router.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace etcdmon::api {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::optional<PathParameters> match(const std::vector<std::string>& pattern,
                                    const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  PathParameters parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i])) {
      if (path[i].empty()) return std::nullopt;
      parameters.set(pattern[i].substr(1, pattern[i].size() - 2), path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

net::Response not_found(const net::Request& request) {
  return net::problem(404, net::reason_phrase(404),
                      fmt::format("there is nothing at {}; / lists what there is", request.path),
                      request.path);
}

}  // namespace

std::string_view PathParameters::operator[](std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) return value;
  }
  return {};
}

void PathParameters::set(std::string name, std::string value) {
  values_.emplace_back(std::move(name), std::move(value));
}

void Router::add(Route route, Handler handler) {
  Path* path = nullptr;
  if (route.pattern.find('{') == std::string::npos) {
    path = &exact_[route.pattern];
  } else {
    auto found = std::ranges::find(patterns_, route.pattern, &std::pair<std::string, Path>::first);
    if (found == patterns_.end()) {
      found = patterns_.insert(found, {route.pattern, Path{split(route.pattern), {}}});
    }
    path = &found->second;
  }
  path->methods.push_back({route.method, routes_.size(), std::move(handler)});
  routes_.push_back(std::move(route));
}

void Router::add(Route route, PlainHandler handler) {
  add(std::move(route), Handler([handler = std::move(handler)](
                                    const net::Request& request, const PathParameters& parameters,
                                    const Caller&) { return handler(request, parameters); }));
}

const Router::Method* Router::find(const Path& path, std::string_view method) {
  if (method == "HEAD") method = "GET";
  const auto found = std::ranges::find(path.methods, method, &Method::name);
  return found == path.methods.end() ? nullptr : &*found;
}

net::Response Router::method_not_allowed(const Path& path, const net::Request& request) {
  std::string allow;
  for (const auto& method : path.methods) {
    if (!allow.empty()) allow += ", ";
    allow += method.name == "GET" ? "GET, HEAD" : method.name;
  }
  auto response =
      net::problem(405, net::reason_phrase(405),
                   fmt::format("{} is answered to {}", request.path, allow), request.path);
  response.headers.push_back({"Allow", std::move(allow)});
  return response;
}

Task<net::Response> Router::with_parameters(const Handler& handler, const net::Request& request,
                                            PathParameters parameters, const Caller& caller) {
  co_return co_await handler(request, parameters, caller);
}

const Router::Path* Router::find_path(const net::Request& request,
                                      PathParameters& parameters) const {
  if (const auto found = exact_.find(request.path); found != exact_.end()) return &found->second;
  if (patterns_.empty() || !request.path.starts_with('/')) return nullptr;
  const auto segments = split(request.path);
  for (const auto& [pattern, path] : patterns_) {
    auto found = match(path.segments, segments);
    if (!found) continue;
    parameters = *std::move(found);
    return &path;
  }
  return nullptr;
}

const Router::Route* Router::find(const net::Request& request) const {
  PathParameters parameters;
  const auto* path = find_path(request, parameters);
  const auto* method = path != nullptr ? find(*path, request.method) : nullptr;
  return method != nullptr ? &routes_[method->route] : nullptr;
}

Task<net::Response> Router::dispatch(const net::Request& request, const Caller& caller) const {
  static const PathParameters kNone;
  PathParameters parameters;
  const auto* path = find_path(request, parameters);
  if (path == nullptr) return answered(not_found(request));
  const auto* method = find(*path, request.method);
  if (method == nullptr) return answered(method_not_allowed(*path, request));
  if (path->segments.empty()) return method->handler(request, kNone, caller);
  return with_parameters(method->handler, request, std::move(parameters), caller);
}

Task<net::Response> answered(net::Response response) {
  co_return response;
}

}  // namespace etcdmon::api
