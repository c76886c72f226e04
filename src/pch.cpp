// The translation unit that owns the precompiled header, and Asio's separately compiled part.
#include <boost/asio/impl/src.hpp>
