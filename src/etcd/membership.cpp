#include "etcd/membership.hpp"

#include <utility>

#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

Task<Result<wire::MemberListResponse>> Membership::list(Consistency consistency,
                                                        Deadline deadline) {
  wire::MemberListRequest request;
  request.set_linearizable(consistency == Consistency::kLinearizable);
  return ask<wire::MemberListResponse>(*channel_, path::kMemberList, Repeat::kSafe,
                                       std::move(request), deadline);
}

Task<Result<wire::MemberAddResponse>> Membership::add(MemberAddOptions options, Deadline deadline) {
  wire::MemberAddRequest request;
  for (auto& url : options.peer_urls) request.add_peer_urls(std::move(url));
  request.set_is_learner(options.learner);
  return ask<wire::MemberAddResponse>(*channel_, path::kMemberAdd, Repeat::kUnsafe,
                                      std::move(request), deadline);
}

Task<Result<wire::MemberListResponse>> Membership::remove(MemberId id, Deadline deadline) {
  wire::MemberIdRequest request;
  request.set_id(id.value);
  return ask<wire::MemberListResponse>(*channel_, path::kMemberRemove, Repeat::kUnsafe,
                                       std::move(request), deadline);
}

Task<Result<wire::MemberListResponse>> Membership::update(MemberUpdateOptions options,
                                                          Deadline deadline) {
  wire::MemberUpdateRequest request;
  request.set_id(options.id.value);
  for (auto& url : options.peer_urls) request.add_peer_urls(std::move(url));
  return ask<wire::MemberListResponse>(*channel_, path::kMemberUpdate, Repeat::kUnsafe,
                                       std::move(request), deadline);
}

Task<Result<wire::MemberListResponse>> Membership::promote(MemberId id, Deadline deadline) {
  wire::MemberIdRequest request;
  request.set_id(id.value);
  return ask<wire::MemberListResponse>(*channel_, path::kMemberPromote, Repeat::kUnsafe,
                                       std::move(request), deadline);
}

}  // namespace etcdmon::etcd
