#include "alert/routing/route.hpp"

namespace etcdmon::alert {

namespace {

void descend(const Route& route, const Labels& labels, std::vector<const Route*>& ends) {
  bool taken = false;
  for (const auto& child : route.routes) {
    if (!all_match(child.matchers, labels)) continue;
    descend(child, labels, ends);
    taken = true;
    if (!child.go_on) break;
  }
  if (!taken) ends.push_back(&route);
}

}  // namespace

std::vector<const Route*> routes_for(const Route& root, const Labels& labels) {
  std::vector<const Route*> ends;
  descend(root, labels, ends);
  return ends;
}

}  // namespace etcdmon::alert
