#include "stream.hpp"            // expect: relative, name
#include "../net/stream.hpp"     // expect: relative
#include "net/detail/socket.hpp"  // expect: layer, detail
