#include "app/cli/command.hpp"

int main(int argc, char** argv) {
  return etcdmon::app::cli::run(argc, argv);
}
