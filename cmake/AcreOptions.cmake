# SPDX-License-Identifier: Apache-2.0 OR MIT
# What a build is, apart from the feature gates (AcreGates.cmake).

option(ACRE_FREESTANDING "Build the core alone with -ffreestanding and nothing else" OFF)
option(ACRE_WERROR "Treat warnings as errors" OFF)
option(ACRE_COVERAGE "Count the lines, branches and conditions run (clang, 18 or newer)" OFF)
option(ACRE_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(ACRE_ANNOTATE "Tell sanitizers and valgrind which bytes of a region are live" OFF)
option(ACRE_JOIN "Compile the sources of each folder of the core together, which is quicker" OFF)
set(ACRE_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")
set(ACRE_TEST_OPTIONS "" CACHE STRING "Compiler options for the tests, after those of the build type")
set(ACRE_TIDY "" CACHE STRING "A clang-tidy command to run on every file compiled")

if(ACRE_FREESTANDING)
    set(hosted_default OFF)
else()
    set(hosted_default ON)
endif()
option(ACRE_DYNAMIC "Build libacre.so beside libacre.a" ${hosted_default})
option(ACRE_TESTS "Build the tests" ${hosted_default})
option(ACRE_FULL_TESTS "Build the tests labelled full, too" ON)
option(ACRE_BENCH "Build the benchmarks" ${hosted_default})

set(ACRE_PRELOAD_DIR ${CMAKE_INSTALL_LIBDIR} CACHE STRING
    "Where the objects that the tool preloads are installed, below the prefix")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Figures are stated for -O2; -g costs nothing at run time and makes reports readable.
# project() has put CMake's own default for C into the cache; only that is replaced.
if(CMAKE_C_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG")
    set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG" CACHE STRING "Flags of a release build" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -DNDEBUG" CACHE STRING "Flags of a release build")
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()

if(ACRE_TIDY)
    set(CMAKE_C_CLANG_TIDY ${ACRE_TIDY})
endif()
