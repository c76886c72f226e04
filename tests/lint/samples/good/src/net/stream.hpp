// net/stream.hpp: bytes in and out.
#pragma once

#include <memory>

#include "async/task.hpp"

/// Options keep the constructor short.
class Stream {
 public:
  explicit Stream(std::map<std::string, std::pair<int, int>> options, int a = f(1, 2), int b = 2, int c = 3);
  ~Stream();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
