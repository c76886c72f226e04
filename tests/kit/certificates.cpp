#include "kit/certificates.hpp"

#include <arpa/inet.h>
#include <cstdio>
#include <ctime>
#include <random>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/free_by.hpp"

namespace etcdmon::kit {

namespace {

using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;

template <class T>
T checked(T result, const char* what) {
  if (!result) throw std::runtime_error(fmt::format("making a certificate: {} failed", what));
  return result;
}

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const Extension extension(
      checked(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), "extension"));
  checked(X509_add_ext(cert, extension.get(), -1), "add_ext");
}

Certificate blank(EVP_PKEY* key, const std::string& name, std::chrono::seconds begins,
                  std::chrono::seconds ends) {
  Certificate cert(checked(X509_new(), "X509_new"));
  X509_set_version(cert.get(), X509_VERSION_3);
  static std::mt19937_64 random{std::random_device{}()};
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), random() >> 1U);
  const std::time_t now = std::time(nullptr);
  X509_time_adj_ex(X509_getm_notBefore(cert.get()), 0, begins.count(), const_cast<time_t*>(&now));
  X509_time_adj_ex(X509_getm_notAfter(cert.get()), 0, ends.count(), const_cast<time_t*>(&now));
  X509_set_pubkey(cert.get(), key);
  if (name.empty()) return cert;
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8, text, -1, -1,
                             0);
  return cert;
}

template <class Write>
void write_pem(const std::string& path, Write write) {
  const std::string fresh = path + ".new";
  {
    const Bio out(BIO_new_file(fresh.c_str(), "w"));
    if (!out || write(out.get()) != 1) throw std::runtime_error("cannot write " + fresh);
  }
  std::filesystem::permissions(
      fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::rename(fresh, path);
}

void write_files(const CertificateAuthority::Files& files, X509* cert, EVP_PKEY* key) {
  write_pem(files.key, [key](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  write_pem(files.cert, [cert](BIO* out) { return PEM_write_bio_X509(out, cert); });
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) {
    unsigned char ignored[16];
    const bool address = ::inet_pton(AF_INET, name.c_str(), ignored) == 1 ||
                         ::inet_pton(AF_INET6, name.c_str(), ignored) == 1;
    result += fmt::format("{}{}:{}", result.empty() ? "" : ",", address ? "IP" : "DNS", name);
  }
  return result;
}

std::string usages(const CertificateAuthority::Request& request) {
  if (request.for_server && request.for_client) return "serverAuth,clientAuth";
  return request.for_server ? "serverAuth" : "clientAuth";
}

Key new_key() {
  return Key(checked(EVP_EC_gen("P-256"), "EVP_EC_gen"));
}

}  // namespace

struct CertificateAuthority::State {
  std::filesystem::path folder;
  Files own;
  Key key;
  Certificate cert;
  int issued = 0;
};

CertificateAuthority::CertificateAuthority(std::filesystem::path folder, const std::string& name)
    : state_(std::make_unique<State>()) {
  state_->own = {(folder / "ca.crt").string(), (folder / "ca.key").string()};
  state_->folder = std::move(folder);
  state_->key = new_key();
  const Request valid;
  state_->cert = blank(state_->key.get(), name, valid.begins, valid.ends);
  X509* cert = state_->cert.get();
  X509_set_issuer_name(cert, X509_get_subject_name(cert));
  extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
  extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(cert, cert, NID_subject_key_identifier, "hash");
  checked(X509_sign(cert, state_->key.get(), EVP_sha256()), "X509_sign");
  write_files(state_->own, cert, state_->key.get());
}

CertificateAuthority::~CertificateAuthority() = default;

std::string CertificateAuthority::ca() const {
  return state_->own.cert;
}

CertificateAuthority::Files CertificateAuthority::issue(const Request& request) {
  const auto stem =
      (state_->folder /
       fmt::format("{}-{}", request.name.empty() ? "nobody" : request.name, ++state_->issued))
          .string();
  Files files{stem + ".crt", stem + ".key"};
  renew(files, request);
  return files;
}

void CertificateAuthority::renew(const Files& files, const Request& request) {
  const Key key = new_key();
  const Certificate cert = blank(key.get(), request.name, request.begins, request.ends);
  X509* issuer = state_->cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer));
  extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(cert.get(), issuer, NID_key_usage, "critical,digitalSignature");
  extend(cert.get(), issuer, NID_ext_key_usage, usages(request));
  extend(cert.get(), issuer, NID_authority_key_identifier, "keyid");
  const auto names = alternative_names(request.names);
  if (!names.empty()) extend(cert.get(), issuer, NID_subject_alt_name, names);
  checked(X509_sign(cert.get(), state_->key.get(), EVP_sha256()), "X509_sign");
  write_files(files, cert.get(), key.get());
}

app::demo::LocalEtcd::Tls CertificateAuthority::etcd_tls(ClientAuth client_auth) {
  const auto member = server();
  app::demo::LocalEtcd::Tls tls{.ca = ca(), .cert = member.cert, .key = member.key};
  if (client_auth == ClientAuth::kRequired) {
    // Without a name: etcd's JSON gateway refuses certificates that name a user.
    const auto user = client("");
    tls.client_auth = true;
    tls.client_cert = user.cert;
    tls.client_key = user.key;
  }
  return tls;
}

}  // namespace etcdmon::kit
