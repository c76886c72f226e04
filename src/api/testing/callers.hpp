// api/testing/callers.hpp: somebody with rights on some clusters.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/caller.hpp"

namespace etcdmon::api::testing {

/// "somebody", who may do so on the clusters of this pattern and on no others.
inline Caller caller_on(std::string pattern, std::set<auth::Action> actions) {
  auth::Role role{.name = "some",
                  .grants = {{.clusters = {std::move(pattern)}, .actions = std::move(actions)}}};
  auto roles = auth::Roles::with({std::move(role)});
  return Caller({.subject = "somebody", .roles = {"some"}, .how = auth::Proof::kJwt, .expires = {}},
                std::make_shared<const auth::Roles>(*std::move(roles)));
}

}  // namespace etcdmon::api::testing
