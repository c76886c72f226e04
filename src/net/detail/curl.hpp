// net/detail/curl.hpp: libcurl, loaded by the first who sends something.
#pragma once

#include <type_traits>

#include <curl/curl.h>

namespace etcdmon::net::detail {

/// The functions in use, under their names without "curl_".
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_wakeup) multi_wakeup = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
};

/// Loads and initialises it the first time. Throws std::runtime_error when it is not installed.
/// Threads: any.
const Curl& curl();

/// curl_easy_setopt reads a long, a curl_off_t or a pointer, and cannot see what it was given.
template <class Value>
void set_option(CURL* handle, CURLoption option, Value value) {
  static_assert(std::is_pointer_v<Value> || std::is_same_v<Value, long> ||
                std::is_same_v<Value, curl_off_t>);
  curl().easy_setopt(handle, option, value);
}

}  // namespace etcdmon::net::detail
