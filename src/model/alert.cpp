#include "model/alert.hpp"

namespace etcdmon::model {

std::string_view name_of(AlertState state) {
  switch (state) {
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
    case AlertState::kResolved:
      return "resolved";
  }
  return "pending";
}

std::string_view name_of(AlertEvent::What what) {
  switch (what) {
    case AlertEvent::What::kPending:
      return "pending";
    case AlertEvent::What::kFiring:
      return "firing";
    case AlertEvent::What::kChanged:
      return "changed";
    case AlertEvent::What::kResolved:
      return "resolved";
  }
  return "pending";
}

}  // namespace etcdmon::model
