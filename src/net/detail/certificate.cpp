#include "net/detail/certificate.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace etcdmon::net::detail {

namespace {

namespace ip = boost::asio::ip;

std::string to_text(X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  // RFC 2253 but in the order of the certificate: "O=etcd, CN=etcd-1".
  X509_NAME_print_ex(
      out.get(), name, 0,
      (XN_FLAG_ONELINE | ASN1_STRFLGS_ESC_CTRL) & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

WallTime to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return WallTime{std::chrono::seconds(::timegm(&parts))};
}

std::string to_text(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string to_address(const ASN1_OCTET_STRING* octets) {
  const auto* data = ASN1_STRING_get0_data(octets);
  if (ASN1_STRING_length(octets) == 4) {
    ip::address_v4::bytes_type bytes;
    std::copy_n(data, bytes.size(), bytes.begin());
    return ip::address_v4(bytes).to_string();
  }
  if (ASN1_STRING_length(octets) == 16) {
    ip::address_v6::bytes_type bytes;
    std::copy_n(data, bytes.size(), bytes.begin());
    return ip::address_v6(bytes).to_string();
  }
  return "?";
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const GeneralNamesPtr list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!list) return names;
  for (int index = 0; index < sk_GENERAL_NAME_num(list.get()); ++index) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), index);
    if (name->type == GEN_DNS) names.push_back(to_text(name->d.dNSName));
    if (name->type == GEN_IPADD) names.push_back(to_address(name->d.iPAddress));
  }
  return names;
}

}  // namespace

Certificate to_certificate(X509* certificate) {
  return Certificate{.subject = to_text(X509_get_subject_name(certificate)),
                     .issuer = to_text(X509_get_issuer_name(certificate)),
                     .names = names_of(certificate),
                     .not_before = to_time(X509_get0_notBefore(certificate)),
                     .not_after = to_time(X509_get0_notAfter(certificate))};
}

std::vector<Certificate> to_certificates(const STACK_OF(X509) * chain) {
  std::vector<Certificate> certificates;
  const int count = sk_X509_num(chain);  // -1 without a chain
  certificates.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int index = 0; index < count; ++index) {
    certificates.push_back(to_certificate(sk_X509_value(chain, index)));
  }
  return certificates;
}

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem) {
  ERR_clear_error();
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> certificates;
  for (;;) {
    X509Ptr next(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    certificates.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return Error{ErrorCode::kInvalidArgument, "a certificate in it is damaged"};
  if (certificates.empty()) {
    return Error{ErrorCode::kInvalidArgument, "there is no PEM certificate in it"};
  }
  return certificates;
}

}  // namespace etcdmon::net::detail
