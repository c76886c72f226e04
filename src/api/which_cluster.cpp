#include "api/which_cluster.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/json_writer.hpp"

namespace etcdmon::api {

namespace {

std::string names_as_json(const std::vector<std::string>& names) {
  JsonWriter json;
  json.begin_array();
  for (const auto& name : names) json.value(name);
  json.end_array();
  return "\"clusters\":" + json.take();
}

}  // namespace

std::string cluster_of(const net::Request& request, const std::vector<std::string>& names) {
  if (const auto wanted = request.parameter("cluster")) return std::string(*wanted);
  return names.size() == 1 ? names.front() : std::string();
}

std::optional<net::Response> choose_cluster(const net::Request& request, const ViewSource& source,
                                            const Caller& caller, std::string& name) {
  if (source.clusters().empty()) return net::problem(404, "no cluster is configured");
  const auto wanted = request.parameter("cluster");
  auto meant = cluster_of(request, source.clusters());
  if ((wanted || !meant.empty()) && !caller.may_see(meant))
    return forbidden(request, auth::Action::kRead);
  if (!wanted && !meant.empty()) {
    name = std::move(meant);
    return std::nullopt;
  }
  const auto names = caller.visible(source.clusters());
  const auto known = fmt::format("{}", fmt::join(names, ", "));
  if (!wanted) {
    return net::problem(400, "Which cluster?",
                        fmt::format("add ?cluster=NAME; there are: {}", known), request.path,
                        names_as_json(names));
  }
  if (std::ranges::find(names, *wanted) == names.end()) {
    return net::problem(404, "Unknown cluster",
                        fmt::format("no cluster \"{}\"; there are: {}", *wanted, known),
                        request.path, names_as_json(names));
  }
  name = *wanted;
  return std::nullopt;
}

}  // namespace etcdmon::api
