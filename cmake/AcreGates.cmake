# SPDX-License-Identifier: Apache-2.0 OR MIT
# The feature gates, and the folders they stand before. A new allocator is one line here and a folder
# with a CMakeLists.txt; a folder that is not there is no gate.

# acre_gate(NAME FOLDER TEXT): an option NAME for the core folder FOLDER, passed on as a macro of the
# same name with the value 0 or 1.
function(acre_gate NAME FOLDER TEXT)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${FOLDER}/CMakeLists.txt)
        option(${NAME} "${TEXT}" ON)
        set_property(GLOBAL APPEND PROPERTY ACRE_GATES ${NAME})
    else()
        set(${NAME} OFF)
    endif()
    acre_knob(${NAME} ${${NAME}})
    if(${NAME})
        set(ACRE_GATE ${NAME})
        add_subdirectory(${FOLDER})
    endif()
    set(${NAME} ${${NAME}} PARENT_SCOPE)
endfunction()

# acre_knob(NAME VALUE): passes a knob of include/acre/config.h on to the compiler, and into the copy
# of that header which is installed. The header must declare the knob.
function(acre_knob NAME VALUE)
    if(VALUE)
        set(VALUE 1)
    else()
        set(VALUE 0)
    endif()
    file(STRINGS ${PROJECT_SOURCE_DIR}/include/acre/config.h declared REGEX "^#define ${NAME} ")
    if(NOT declared)
        message(FATAL_ERROR "include/acre/config.h does not declare the knob ${NAME}")
    endif()
    target_compile_definitions(acre_headers INTERFACE $<BUILD_INTERFACE:${NAME}=${VALUE}>)
    set_property(GLOBAL APPEND PROPERTY ACRE_KNOBS ${NAME}=${VALUE})
endfunction()

# acre_folders(FOLDERS...): the folders that are there, in this order.
function(acre_folders)
    set(ACRE_GATE always)
    foreach(folder IN LISTS ARGN)
        if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
            add_subdirectory(${folder})
        endif()
    endforeach()
endfunction()

acre_folders(src/base src/cache)
acre_gate(ACRE_TLSF src/tlsf "Two-level segregated fit: bytes in constant time")
acre_gate(ACRE_BUDDY src/buddy "Binary buddies: bytes in logarithmic time, metadata apart")
acre_gate(ACRE_SLAB src/slab "Slabs of size classes: bytes in constant time")
acre_gate(ACRE_BITMAP src/bitmap "Bitmap with a summary tree: pages and ids")
acre_gate(ACRE_HEAP src/heap "Two-level heap: bytes over pages")
acre_gate(ACRE_WRAP src/wrap "Wrappers that stack on any allocator")
acre_gate(ACRE_SHARED src/shared "Handles with a reference count, and what stands on them")

if(ACRE_FREESTANDING)
    set(ACRE_HOSTED OFF)
else()
    option(ACRE_HOSTED "Parts that need an operating system: the tool and what is preloaded" ON)
endif()
acre_knob(ACRE_HOSTED ${ACRE_HOSTED})
option(ACRE_CHECK_POINTERS "Prove every pointer handed back before anything is read through it" ON)
acre_knob(ACRE_CHECK_POINTERS ${ACRE_CHECK_POINTERS})
option(ACRE_TLSF_WIDE "Blocks of TLSF without a limit, at 4 more bytes a block" OFF)
acre_knob(ACRE_TLSF_WIDE ${ACRE_TLSF_WIDE})
option(ACRE_ASSERTS "Assert the internal invariants on the way" OFF)
acre_knob(ACRE_ASSERTS ${ACRE_ASSERTS})
if(ACRE_ASSERTS AND NOT ACRE_FREESTANDING)
    target_sources(acre_objects PRIVATE ${PROJECT_SOURCE_DIR}/hosted/assert/assert_fail.c)
endif()

if(ACRE_HOSTED)
    find_package(PkgConfig REQUIRED)
    find_package(Threads REQUIRED)
    pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
    pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
    acre_folders(src/trace hosted/number hosted/os hosted/plugin hosted/registry hosted/malloc hosted/record replay tool)
endif()

if(ACRE_TESTS)
    find_package(PkgConfig REQUIRED)
    find_package(Threads REQUIRED)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
    enable_language(CXX)
    enable_testing()
    acre_folders(tests/support tests/compile tests/base tests/tlsf tests/trace tests/conformance tests/model tests/misuse
        tests/exhaustive tests/shared tests/malloc tests/fault tests/wrap tests/pages tests/buddy tests/slab tests/cache tests/heap
        tests/regress tests/fuzz tests/hosted tests/hooks tests/tool examples)
    acre_folders(tests/ports)
endif()

if(ACRE_BENCH AND ACRE_HOSTED)
    acre_folders(bench)
endif()

if(ACRE_TESTS AND ACRE_HOSTED)
    acre_folders(tests/record)
endif()

# Set by the toolchain file of a machine without an operating system.
if(ACRE_PORT)
    acre_folders(ports)
endif()
