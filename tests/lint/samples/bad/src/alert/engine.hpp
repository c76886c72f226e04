// engine of alerts  // expect: opening-line, pragma-once

#include <nghttp2/nghttp2.h>  // expect: heavy-header
#include "net/stream.hpp"     // expect: layer

class AlertManager {  // expect: name
 public:
  AlertManager(std::map<int, int> a, int b, int c, int d, int e, int f);  // expect: parameters
};

struct EndpointInfo;  // expect: name
