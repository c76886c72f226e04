#include "etcd/auth.hpp"

#include <utility>

#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/auth.pb.h"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

template <class Request>
Task<Result<wire::HeaderResponse>> change(Channel& channel, std::string_view method,
                                          Request request, Deadline deadline) {
  return ask<wire::HeaderResponse>(channel, method, Repeat::kUnsafe, std::move(request), deadline);
}

wire::AuthUserRequest of_user(std::string name) {
  wire::AuthUserRequest request;
  request.set_name(std::move(name));
  return request;
}

wire::AuthRoleRequest of_role(std::string role) {
  wire::AuthRoleRequest request;
  request.set_role(std::move(role));
  return request;
}

wire::AuthUserRoleRequest of_both(UserRole options) {
  wire::AuthUserRoleRequest request;
  request.set_user(std::move(options.user));
  request.set_role(std::move(options.role));
  return request;
}

}  // namespace

Task<Result<wire::AuthStatusResponse>> Auth::status(Deadline deadline) {
  return ask<wire::AuthStatusResponse>(*channel_, path::kAuthStatus, Repeat::kSafe,
                                       wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HeaderResponse>> Auth::enable(Deadline deadline) {
  return change(*channel_, path::kAuthEnable, wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HeaderResponse>> Auth::disable(Deadline deadline) {
  return change(*channel_, path::kAuthDisable, wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HeaderResponse>> Auth::user_add(UserAddOptions options, Deadline deadline) {
  wire::AuthUserAddRequest request;
  request.set_name(std::move(options.name));
  request.set_password(options.password.reveal());
  request.mutable_options()->set_no_password(options.no_password);
  return change(*channel_, path::kUserAdd, std::move(request), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::user_delete(std::string user, Deadline deadline) {
  return change(*channel_, path::kUserDelete, of_user(std::move(user)), deadline);
}

Task<Result<wire::AuthUserGetResponse>> Auth::user_get(std::string user, Deadline deadline) {
  return ask<wire::AuthUserGetResponse>(*channel_, path::kUserGet, Repeat::kSafe,
                                        of_user(std::move(user)), deadline);
}

Task<Result<wire::AuthUserListResponse>> Auth::user_list(Deadline deadline) {
  return ask<wire::AuthUserListResponse>(*channel_, path::kUserList, Repeat::kSafe,
                                         wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HeaderResponse>> Auth::change_password(std::string user, Secret password,
                                                         Deadline deadline) {
  wire::AuthUserChangePasswordRequest request;
  request.set_name(std::move(user));
  request.set_password(password.reveal());
  return change(*channel_, path::kUserChangePassword, std::move(request), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::grant_role(UserRole options, Deadline deadline) {
  return change(*channel_, path::kUserGrantRole, of_both(std::move(options)), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::revoke_role(UserRole options, Deadline deadline) {
  return change(*channel_, path::kUserRevokeRole, of_both(std::move(options)), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::role_add(std::string role, Deadline deadline) {
  return change(*channel_, path::kRoleAdd, of_role(std::move(role)), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::role_delete(std::string role, Deadline deadline) {
  return change(*channel_, path::kRoleDelete, of_role(std::move(role)), deadline);
}

Task<Result<wire::AuthRoleGetResponse>> Auth::role_get(std::string role, Deadline deadline) {
  return ask<wire::AuthRoleGetResponse>(*channel_, path::kRoleGet, Repeat::kSafe,
                                        of_role(std::move(role)), deadline);
}

Task<Result<wire::AuthRoleListResponse>> Auth::role_list(Deadline deadline) {
  return ask<wire::AuthRoleListResponse>(*channel_, path::kRoleList, Repeat::kSafe,
                                         wire::EmptyRequest{}, deadline);
}

Task<Result<wire::HeaderResponse>> Auth::grant_permission(PermissionOptions options,
                                                          Deadline deadline) {
  wire::AuthRoleGrantPermissionRequest request;
  request.set_name(std::move(options.role));
  auto& permission = *request.mutable_perm();
  permission.set_type(static_cast<wire::Permission::Type>(options.access));
  permission.set_key(std::move(options.range.key));
  permission.set_range_end(std::move(options.range.end));
  return change(*channel_, path::kRoleGrantPermission, std::move(request), deadline);
}

Task<Result<wire::HeaderResponse>> Auth::revoke_permission(PermissionOptions options,
                                                           Deadline deadline) {
  wire::AuthRoleRevokePermissionRequest request;
  request.set_role(std::move(options.role));
  request.set_key(std::move(options.range.key));
  request.set_range_end(std::move(options.range.end));
  return change(*channel_, path::kRoleRevokePermission, std::move(request), deadline);
}

}  // namespace etcdmon::etcd
