// Certificates that expire soon, have expired, or are not valid yet.
#include <fmt/format.h>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Severity;
using std::chrono::hours;

namespace {

constexpr hours kSoon{30 * 24};
constexpr hours kVerySoon{7 * 24};
constexpr std::string_view kOwn = "our client certificate";

}  // namespace

void report_certificates(const Sight& sight, Findings& findings) {
  const WallTime now = sight.look.seen.at.wall;
  for (const auto& subject : sight.look.subjects) {
    for (const auto& certificate : subject.facts->certificates) {
      const auto left = certificate.not_after - now;
      const bool early = now < certificate.not_before;
      if (!early && left > kSoon) continue;
      // Our own certificate is met at every member, and is one finding.
      const bool own = certificate.where == kOwn;
      const auto what =
          own ? std::string(kOwn) : fmt::format("{} {}", subject.label, certificate.where);
      const auto severity = early || left <= kVerySoon ? Severity::kCritical : Severity::kWarning;
      const auto when = to_rfc3339(early ? certificate.not_before : certificate.not_after);
      const auto* verb = early                 ? "is not valid before"
                         : left <= Duration(0) ? "expired at"
                                               : "expires at";
      findings.add(
          {Check::kCertificateExpiry,
           severity,
           own ? MemberId{} : subject.facts->entry.id,
           what,
           fmt::format("certificate of {} {} {}", what, verb, when),
           fmt::format("subject {}, issued by {}", certificate.subject, certificate.issuer),
           {}});
    }
  }
}

}  // namespace etcdmon::collect
