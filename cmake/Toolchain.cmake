# Compiler flags, sanitizers, linker and compiler cache: everything that is about tools and not about the project.
# The same code goes into programs and into libetcdmon.so; one flag for both keeps one precompiled header.
add_compile_options(-fPIC)
# Fields that a designated initializer leaves out have their defaults in the struct: that is the idiom here.
add_compile_options(-Wno-missing-field-initializers)
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these on its own library code once it inlines it.
  add_compile_options(-fcoroutines -Wno-maybe-uninitialized -Wno-restrict -Wno-dangling-pointer -Wno-stringop-overflow
                      -Wno-array-bounds -Wno-mismatched-new-delete)
  # g++ 12.2 loses the half of a move that empties its source where this pass works over an optimised tl::expected: the
  # text of an error was freed twice (resolver.cpp, as part of a bigger source).
  add_compile_options(-fno-ipa-modref)
  # Lets ccache see through the precompiled header.
  add_compile_options(-fpch-preprocess)
else()
  # clang builds the fuzzers. Its other name for the idiom above, and what libstdc++ 12 marks as old and uses itself.
  add_compile_options(-Wno-missing-designated-field-initializers -Wno-deprecated-declarations)
endif()

add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)

if(ETCDMON_SANITIZE)
  add_compile_options(-fsanitize=${ETCDMON_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ETCDMON_SANITIZE})
  if(ETCDMON_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(ETCDMON_FUZZ)
  # The libraries too: without their counters the fuzzer is blind in what it tests.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(ETCDMON_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

find_program(ETCDMON_MOLD mold)
if(ETCDMON_MOLD)
  # Code for errors lies apart, as other linkers do by themselves: pages that are never touched.
  add_link_options(-fuse-ld=mold -Wl,-z,keep-text-section-prefix)
endif()

find_program(ETCDMON_CCACHE ccache)
if(ETCDMON_CCACHE AND NOT ETCDMON_COVERAGE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${ETCDMON_CCACHE})
endif()
