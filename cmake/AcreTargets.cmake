# SPDX-License-Identifier: Apache-2.0 OR MIT
# The functions that the CMakeLists.txt of each folder call. One call, one thing built:
#
#   acre_core(FILES...)              sources of the core, part of libacre.a and libacre.so
#   acre_core_options(OPTION FILES...)   one more compiler option for some of them
#   acre_part(NAME FILES... [LINK TARGETS...])      a hosted static library acre_NAME
#   acre_preload(NAME FILES... [LINK TARGETS...])   a shared object libacre-NAME.so to preload
#   acre_program(NAME FILES... [LINK TARGETS...] [INSTALL])
#   acre_test(NAME FILES... [LINK TARGETS...] [NEEDS GATES...] [LABELS LABELS...] [ARGS ...])
#   acre_small_test(NAME FILES... DEFINES OPTIONS... [NEEDS ...] [LABELS ...] [ARGS ...])  a test with
#                                    sources of an allocator, compiled for a small machine
#   acre_small_suites(ALLOCATOR DEFINES OPTIONS... [NEEDS ...])  conformance and misuse suite over it
#   acre_script_test(NAME SCRIPT [NEEDS GATES...] [LABELS LABELS...] [ARGS ...])
#   acre_skipped_test(NAME WHY [LABELS LABELS...])  counted as skipped: what it needs is not there
#   acre_library(OUT MODULE)         the target of a library, where pkg-config knows one
#   acre_fuzz(NAME FILES... [LINK TARGETS...] [NEEDS GATES...])  a libFuzzer target, built with ACRE_FUZZ
#
# A call without files does nothing. Includes are found from include/, src/, hosted/ and the
# project's root. A test carries the label quick unless LABELS says otherwise; the labels are
# described in CONTRIBUTING.md.

# The core is compiled once, as position-independent code, for both libraries and the objects that
# are preloaded. Without semantic interposition that costs no instruction on 64-bit machines.
add_library(acre_objects OBJECT)
add_library(acre STATIC $<TARGET_OBJECTS:acre_objects>)
add_library(acre::acre ALIAS acre)
add_library(acre_headers INTERFACE)
target_include_directories(acre_headers INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

add_library(acre_private INTERFACE)
target_include_directories(acre_private INTERFACE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/hosted ${PROJECT_SOURCE_DIR})
target_link_libraries(acre_private INTERFACE acre_flags)

# A bare machine has no loader that would fill in a table of offsets.
set(position_independent ON)
if(ACRE_PORT)
    set(position_independent OFF)
endif()
set_target_properties(acre_objects acre PROPERTIES
    POSITION_INDEPENDENT_CODE ${position_independent} LINKER_LANGUAGE C)
target_compile_options(acre_objects PRIVATE
    $<$<BOOL:${ACRE_FREESTANDING}>:-ffreestanding>
    $<$<C_COMPILER_ID:GNU>:-fno-semantic-interposition>)
if(ACRE_ANNOTATE)
    target_compile_definitions(acre_objects PRIVATE ACRE_ANNOTATE=1)
    target_compile_options(acre_objects PRIVATE -fno-sanitize=address)
endif()
target_link_libraries(acre_objects PUBLIC acre_headers PRIVATE acre_private acre_counted)
target_link_libraries(acre PUBLIC acre_headers PRIVATE $<BUILD_INTERFACE:acre_private>)
set_target_properties(acre PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# acre_export_public(TARGET): the shared object exports what the public headers declare, nothing else.
function(acre_export_public TARGET)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/acre/*.h)
    set(names)
    foreach(header IN LISTS headers)
        file(STRINGS ${header} lines REGEX "^[a-zA-Z].*acre_[a-z0-9_]+(\\(|;)")
        string(REGEX MATCHALL "acre_[a-z0-9_]+" found "${lines}")
        list(APPEND names ${found})
    endforeach()
    list(REMOVE_DUPLICATES names)
    list(SORT names)
    list(JOIN names ";\n    " text)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/exports.map
        CONTENT "{\nglobal:\n    ${text};\nlocal:\n    *;\n};\n" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
    set_target_properties(${TARGET} PROPERTIES LINK_DEPENDS ${PROJECT_BINARY_DIR}/exports.map)
    target_link_options(${TARGET} PRIVATE -Wl,--version-script=${PROJECT_BINARY_DIR}/exports.map)
endfunction()

if(ACRE_DYNAMIC)
    add_library(acre_shared SHARED $<TARGET_OBJECTS:acre_objects>)
    target_link_libraries(acre_shared PUBLIC acre_headers PRIVATE $<BUILD_INTERFACE:acre_private>)
    set_target_properties(acre_shared PROPERTIES
        OUTPUT_NAME acre LINKER_LANGUAGE C EXPORT_NAME shared
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    acre_export_public(acre_shared)
    # The runtime of a sanitizer is linked with the program, not with the library.
    if(NOT ACRE_SANITIZE)
        target_link_options(acre_shared PRIVATE -Wl,-z,defs)
    endif()
endif()

# acre_join(TARGET): with ACRE_JOIN, sources of the core that TARGET has are compiled together, as one file for each
# folder. What reads a build file by file (clang-tidy, check-circles, mutation) wants
# them apart.
function(acre_join TARGET)
    get_target_property(sources ${TARGET} SOURCES)
    foreach(source IN LISTS sources)
        if(source MATCHES "/src/([a-z]+)/[a-z_]+\\.c$")
            set_property(SOURCE ${source} TARGET_DIRECTORY ${TARGET} PROPERTY UNITY_GROUP ${CMAKE_MATCH_1})
        endif()
    endforeach()
    set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ${ACRE_JOIN} UNITY_BUILD_MODE GROUP)
endfunction()

function(acre_core)
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    target_sources(acre_objects PRIVATE ${ARGN})
    foreach(file IN LISTS ARGN)
        set_property(GLOBAL APPEND_STRING PROPERTY ACRE_CORE_LIST "${ACRE_GATE} ${file}\n")
    endforeach()
endfunction()

function(acre_core_options OPTION)
    set_property(SOURCE ${ARGN} TARGET_DIRECTORY acre_objects
        APPEND PROPERTY COMPILE_OPTIONS ${OPTION})
endfunction()

# Ends configuration: a core with nothing in it is an error with a name, not a puzzle from CMake.
function(acre_check_core)
    get_property(core GLOBAL PROPERTY ACRE_CORE_LIST)
    if(NOT core)
        message(FATAL_ERROR "no folder under src/ gave a source file to the core")
    endif()
    acre_join(acre_objects)
    file(WRITE ${PROJECT_BINARY_DIR}/core-sources.txt "${core}")
    get_property(gates GLOBAL PROPERTY ACRE_GATES)
    list(JOIN gates "\n" gates)
    file(WRITE ${PROJECT_BINARY_DIR}/gates.txt "${gates}\n")
endfunction()

# Sets OUT to the targets named, without those of folders that are not there or switched off.
function(acre_link OUT)
    set(present)
    foreach(target IN LISTS ARGN)
        if(NOT target MATCHES "^acre_" OR TARGET ${target})
            list(APPEND present ${target})
        endif()
    endforeach()
    set(${OUT} ${present} PARENT_SCOPE)
endfunction()

function(acre_part NAME)
    cmake_parse_arguments(PART "" "" "LINK" ${ARGN})
    acre_link(PART_LINK ${PART_LINK})
    if(NOT PART_UNPARSED_ARGUMENTS)
        return()
    endif()
    add_library(acre_${NAME} STATIC ${PART_UNPARSED_ARGUMENTS})
    set_target_properties(acre_${NAME} PROPERTIES
        POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    target_compile_definitions(acre_${NAME} PRIVATE _GNU_SOURCE)
    target_link_libraries(acre_${NAME} PUBLIC ${PART_LINK} acre PRIVATE acre_private)
endfunction()

# The tool and what it preloads: all that `make demo` builds.
add_custom_target(products)

function(acre_preload NAME)
    cmake_parse_arguments(PART "" "" "LINK" ${ARGN})
    acre_link(PART_LINK ${PART_LINK})
    if(NOT PART_UNPARSED_ARGUMENTS OR ACRE_SANITIZE)
        return()
    endif()
    add_library(acre-${NAME} SHARED ${PART_UNPARSED_ARGUMENTS})
    set_target_properties(acre-${NAME} PROPERTIES
        C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_compile_definitions(acre-${NAME} PRIVATE _GNU_SOURCE)
    target_compile_options(acre-${NAME} PRIVATE -ftls-model=initial-exec)
    target_link_options(acre-${NAME} PRIVATE -Wl,-z,defs -Wl,--exclude-libs,ALL)
    target_link_libraries(acre-${NAME} PRIVATE ${PART_LINK} acre acre_private Threads::Threads)
    add_dependencies(products acre-${NAME})
    install(TARGETS acre-${NAME} LIBRARY DESTINATION ${ACRE_PRELOAD_DIR})
endfunction()

function(acre_program NAME)
    cmake_parse_arguments(PART "INSTALL" "" "LINK" ${ARGN})
    acre_link(PART_LINK ${PART_LINK})
    if(NOT PART_UNPARSED_ARGUMENTS)
        return()
    endif()
    set(target program_${NAME})
    add_executable(${target} ${PART_UNPARSED_ARGUMENTS})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${NAME} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_link_libraries(${target} PRIVATE ${PART_LINK} acre acre_private)
    if(PART_INSTALL)
        add_dependencies(products ${target})
        install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endfunction()

# Sets OUT to the name that a test of this folder has: folder below tests/, a dot, its own name.
function(acre_test_name OUT NAME)
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
        OUTPUT_VARIABLE folder)
    string(REGEX REPLACE "^tests/" "" folder "${folder}")
    string(REPLACE "/" "." folder "${folder}")
    set(${OUT} ${folder}.${NAME} PARENT_SCOPE)
endfunction()

# Sets OUT to whether every gate or target named is there, and the labels are of tests to build.
function(acre_has OUT LABELS)
    set(${OUT} TRUE PARENT_SCOPE)
    if("full" IN_LIST LABELS AND NOT ACRE_FULL_TESTS)
        set(${OUT} FALSE PARENT_SCOPE)
    endif()
    foreach(gate IN LISTS ARGN)
        if(NOT (${gate} OR TARGET ${gate}))
            set(${OUT} FALSE PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# What every test runs with: where the products are, and which tools a script may call.
function(acre_test_properties NAME LABELS)
    if(NOT LABELS)
        set(LABELS quick)
    endif()
    set_tests_properties(${NAME} PROPERTIES LABELS "${LABELS}" SKIP_RETURN_CODE 77 ENVIRONMENT
        "ACRE_BUILD=${PROJECT_BINARY_DIR};ACRE_SOURCE=${PROJECT_SOURCE_DIR};CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER}")
    # A program's counts go to files of its own: the runtime takes some for those of another one.
    if(ACRE_COVERAGE)
        set_property(TEST ${NAME} APPEND PROPERTY ENVIRONMENT
            "LLVM_PROFILE_FILE=${PROJECT_BINARY_DIR}/counts/${NAME}-%2m.profraw")
    endif()
endfunction()

# A test labelled preload or proof is put down as skipped where it cannot run, and OUT is set to TRUE.
function(acre_skip OUT NAME)
    set(${OUT} FALSE PARENT_SCOPE)
    if("proof" IN_LIST ARGN AND NOT ACRE_CHECK_POINTERS)
        set(why "it needs pointers to be proven, which this build leaves out")
    elseif(NOT "preload" IN_LIST ARGN)
        return()
    elseif(ACRE_SANITIZE OR ACRE_COVERAGE)
        set(why "it replaces malloc, which this build instruments")
    elseif(CMAKE_C_FLAGS MATCHES "-m32")
        set(why "the programs it preloads are 64-bit")
    else()
        return()
    endif()
    acre_add_skipped(${NAME} "${why}" "${ARGN}")
    set(${OUT} TRUE PARENT_SCOPE)
endfunction()

# A test that does nothing but be counted as skipped, and say why.
function(acre_add_skipped NAME WHY LABELS)
    add_test(NAME ${NAME} COMMAND sh -c "echo '${WHY}'; exit 77")
    acre_test_properties(${NAME} "${LABELS}")
endfunction()

function(acre_skipped_test NAME WHY)
    cmake_parse_arguments(TEST "" "" "LABELS" ${ARGN})
    acre_has(has "${TEST_LABELS}")
    if(NOT has)
        return()
    endif()
    acre_test_name(name ${NAME})
    acre_add_skipped(${name} "${WHY}" "${TEST_LABELS}")
endfunction()

# Sets OUT to the target of a library that pkg-config knows, or to nothing.
function(acre_library OUT MODULE)
    string(MAKE_C_IDENTIFIER ACRE_${MODULE} id)
    pkg_check_modules(${id} QUIET IMPORTED_TARGET GLOBAL ${MODULE})
    set(${OUT} PARENT_SCOPE)
    if(${id}_FOUND)
        set(${OUT} PkgConfig::${id} PARENT_SCOPE)
    endif()
endfunction()

# What scripts/check-threads builds: the tests labelled threads.
add_custom_target(thread_tests)

# What scripts/coverage builds: the tests that call the core themselves.
add_custom_target(core_tests)

function(acre_test NAME)
    cmake_parse_arguments(TEST "" "" "LINK;NEEDS;LABELS;ARGS" ${ARGN})
    acre_has(has "${TEST_LABELS}" ${TEST_NEEDS})
    if(NOT TEST_UNPARSED_ARGUMENTS OR NOT has)
        return()
    endif()
    acre_test_name(name ${NAME})
    acre_skip(skipped ${name} ${TEST_LABELS})
    if(skipped)
        return()
    endif()
    add_executable(${name} ${TEST_UNPARSED_ARGUMENTS})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE ${ACRE_TEST_OPTIONS})
    target_link_libraries(${name} PRIVATE ${TEST_LINK} acre acre_private PkgConfig::CMOCKA)
    if(NOT name MATCHES "^(tool|record|trace|malloc|ports|examples)\\.|^wrap\\.tracer_replay$")
        add_dependencies(core_tests ${name})
        if(TEST_UNPARSED_ARGUMENTS MATCHES "/src/" OR name MATCHES "^(base|arena|pages|heap|hooks)\\.|\\.(pool|quick)$|^tlsf\\.regions$|^threaded\\.(conditions|harden_verbs)$")
            target_link_libraries(${name} PRIVATE acre_counted)
        endif()
    endif()
    add_test(NAME ${name} COMMAND ${name} ${TEST_ARGS})
    acre_test_properties(${name} "${TEST_LABELS}")
    if("threads" IN_LIST TEST_LABELS)
        add_dependencies(thread_tests ${name})
    endif()
endfunction()

# The build options that a small build sets are those of config.h, whatever the library was built with.
function(acre_small_test NAME)
    cmake_parse_arguments(TEST "" "" "DEFINES;NEEDS;LABELS;ARGS" ${ARGN})
    acre_test(${NAME} ${TEST_UNPARSED_ARGUMENTS} NEEDS ${TEST_NEEDS} LINK acre_test_support
        LABELS ${TEST_LABELS} ARGS ${TEST_ARGS})
    acre_test_name(name ${NAME})
    if(TARGET ${name})
        acre_join(${name})
        target_compile_options(${name} PRIVATE -UACRE_TLSF_WIDE -UACRE_MAX_POOL -UACRE_REGIONS
            -UACRE_ALIGNED ${TEST_DEFINES})
    endif()
endfunction()

function(acre_small_suites ALLOCATOR)
    set(tests ${PROJECT_SOURCE_DIR}/tests)
    set(conformance accounts.c alloc.c free.c main.c regions.c resize.c run.c suite.c walk.c)
    list(TRANSFORM conformance PREPEND ${tests}/conformance/)
    set(misuse main.c pointers.c regions.c sizes.c)
    list(TRANSFORM misuse PREPEND ${tests}/misuse/)
    list(APPEND misuse ${tests}/conformance/run.c ${tests}/conformance/suite.c)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${ALLOCATOR}/*.c)
    foreach(suite IN ITEMS conformance misuse)
        acre_small_test(small_${suite} ${${suite}} ${tests}/support/backend_${ALLOCATOR}.c ${sources}
            ${ARGN} LABELS quick proof again ARGS ${ALLOCATOR})
    endforeach()
endfunction()

function(acre_script_test NAME SCRIPT)
    cmake_parse_arguments(TEST "" "" "NEEDS;LABELS;ARGS" ${ARGN})
    acre_has(has "${TEST_LABELS}" ${TEST_NEEDS})
    if(NOT has)
        return()
    endif()
    acre_test_name(name ${NAME})
    acre_skip(skipped ${name} ${TEST_LABELS})
    if(skipped)
        return()
    endif()
    cmake_path(ABSOLUTE_PATH SCRIPT)
    add_test(NAME ${name} COMMAND ${SCRIPT} ${TEST_ARGS})
    acre_test_properties(${name} "${TEST_LABELS}")
endfunction()

add_custom_target(fuzzers)

function(acre_fuzz NAME)
    cmake_parse_arguments(PART "" "" "LINK;NEEDS" ${ARGN})
    acre_has(has "" ${PART_NEEDS})
    if(NOT PART_UNPARSED_ARGUMENTS OR NOT ACRE_FUZZ OR NOT has)
        return()
    endif()
    add_executable(fuzz_${NAME} ${PART_UNPARSED_ARGUMENTS})
    add_dependencies(fuzzers fuzz_${NAME})
    set_target_properties(fuzz_${NAME} PROPERTIES
        OUTPUT_NAME ${NAME} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    target_include_directories(fuzz_${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(fuzz_${NAME} PRIVATE _GNU_SOURCE)
    target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(fuzz_${NAME} PRIVATE ${PART_LINK} acre acre_private)
endfunction()
