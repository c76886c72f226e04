# etcdmon_module(NAME SOURCES ... [ALONE ...] [LIBS ...] [TESTS ...]): one static library and one test binary per folder of src/.
# ALONE: the sources whose own names another source has too; a build of several sources at once (ETCDMON_UNITY)
# compiles each of them by itself.
# What a module links is read from src/layers.txt, so that a forbidden dependency does not even link.
file(STRINGS ${CMAKE_SOURCE_DIR}/src/layers.txt ETCDMON_LAYERS REGEX "^[a-z]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/layers.txt)

function(etcdmon_allowed_modules name out)
  set(found FALSE)
  foreach(line IN LISTS ETCDMON_LAYERS)
    if(line MATCHES "^${name}:([^(]*)")
      string(STRIP "${CMAKE_MATCH_1}" deps)
      string(REGEX REPLACE " +" ";" deps "${deps}")
      set(found TRUE)
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "module ${name} has no line in src/layers.txt")
  endif()
  set(${out} "${deps}" PARENT_SCOPE)
endfunction()

# etcdmon_unity(TARGET ALONE...): several sources at once, in builds of everything; a build after a change wants them apart.
function(etcdmon_unity target)
  if(NOT ETCDMON_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  # What these say is about two files in one, and is told where they are apart.
  target_compile_options(${target} PRIVATE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

function(etcdmon_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;LIBS;TESTS" ${ARGN})
  set(target etcdmon_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  etcdmon_unity(${target} ${arg_ALONE})
  add_library(etcdmon::${name} ALIAS ${target})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_precompile_headers(${target} REUSE_FROM etcdmon_pch)
  target_link_libraries(${target} PUBLIC etcdmon_pch Boost::headers fmt::fmt tl::expected Threads::Threads)
  target_link_libraries(${target} PRIVATE ${arg_LIBS})

  etcdmon_allowed_modules(${name} deps)
  foreach(dep IN LISTS deps)
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/${dep}/CMakeLists.txt)
      target_link_libraries(${target} PUBLIC etcdmon_${dep})
    endif()
  endforeach()

  if(ETCDMON_TESTS AND arg_TESTS)
    etcdmon_test(${name}_test SOURCES ${arg_TESTS} LIBS ${target} ${arg_LIBS})
  endif()
endfunction()

# etcdmon_test(NAME SOURCES ... LIBS ... [LABEL unit|integration|chaos|e2e|perf] [TIMEOUT seconds])
function(etcdmon_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_precompile_headers(${name} REUSE_FROM etcdmon_pch_test)
  target_link_libraries(${name} PRIVATE etcdmon_pch_test ${arg_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE ETCDMON_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             ETCDMON_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # `unit_tests`, `integration_tests`, …: all programs of a label.
  if(NOT TARGET ${arg_LABEL}_tests)
    add_custom_target(${arg_LABEL}_tests)
  endif()
  add_dependencies(${arg_LABEL}_tests ${name})
  # Every case is one ctest entry. scripts/test.sh hands out three shares a core: what computes takes a whole one, a
  # case that mostly waits for what its cluster does takes two shares, and what looks at times of a whole program, or
  # measures, runs with nothing beside it.
  set(shares 3)
  set(serial FALSE)
  if(arg_LABEL STREQUAL "chaos")
    set(shares 2)
  elseif(arg_LABEL MATCHES "^(e2e|perf)$")
    set(serial TRUE)
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT} PROCESSORS ${shares} RUN_SERIAL ${serial})
  set(by_day "*")
  if(arg_LABEL MATCHES "^(chaos|e2e)$")
    # Suites named Nightly are too long for every change: they have the label nightly instead.
    set(by_day "-*Nightly*")
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_FILTER "*Nightly*" TEST_LIST ${name}_NIGHTLY
                         PROPERTIES LABELS nightly ${properties})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_FILTER "${by_day}"
                       PROPERTIES LABELS ${arg_LABEL} ${properties})
endfunction()
include(GoogleTest)

# etcdmon_fuzz(NAME SOURCES ... LIBS ...): the libFuzzer program fuzz_NAME; its seeds are tests/fuzz/corpus/NAME/.
function(etcdmon_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  set(target fuzz_${name})
  add_executable(${target} ${arg_SOURCES})
  target_precompile_headers(${target} REUSE_FROM etcdmon_pch)
  target_link_libraries(${target} PRIVATE etcdmon_pch ${arg_LIBS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${target})
endfunction()
