// net/detail/socket.hpp: what others must not see.
#pragma once
#include <openssl/ssl.h>
