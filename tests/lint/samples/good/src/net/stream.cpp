#include "net/stream.hpp"

#include "net/detail/socket.hpp"
