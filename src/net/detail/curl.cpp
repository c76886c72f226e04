#include "net/detail/curl.hpp"

#include "base/assert.hpp"
#include "base/shared_library.hpp"

namespace etcdmon::net::detail {

namespace {

Curl load() {
  const SharedLibrary library("libcurl.so.4", "libcurl4");
  Curl curl;
  library.bind(curl.global_init, "curl_global_init");
  library.bind(curl.easy_init, "curl_easy_init");
  library.bind(curl.easy_cleanup, "curl_easy_cleanup");
  library.bind(curl.easy_setopt, "curl_easy_setopt");
  library.bind(curl.easy_getinfo, "curl_easy_getinfo");
  library.bind(curl.easy_strerror, "curl_easy_strerror");
  library.bind(curl.slist_append, "curl_slist_append");
  library.bind(curl.slist_free_all, "curl_slist_free_all");
  library.bind(curl.multi_init, "curl_multi_init");
  library.bind(curl.multi_cleanup, "curl_multi_cleanup");
  library.bind(curl.multi_add_handle, "curl_multi_add_handle");
  library.bind(curl.multi_remove_handle, "curl_multi_remove_handle");
  library.bind(curl.multi_perform, "curl_multi_perform");
  library.bind(curl.multi_poll, "curl_multi_poll");
  library.bind(curl.multi_wakeup, "curl_multi_wakeup");
  library.bind(curl.multi_info_read, "curl_multi_info_read");
  const auto initialised = curl.global_init(CURL_GLOBAL_DEFAULT);
  ETCDMON_ASSERT(initialised == CURLE_OK);
  return curl;
}

}  // namespace

const Curl& curl() {
  static const Curl kLoaded = load();
  return kLoaded;
}

}  // namespace etcdmon::net::detail
