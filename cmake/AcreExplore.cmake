# SPDX-License-Identifier: Apache-2.0 OR MIT
# Tests that run every order of a few calls of two or three threads, within bounds (tests/support/explore_threads.h).
#
#   acre_explore(FILE SOURCES FILES... [NEEDS GATES...] [LABELS LABELS...])   the test `explore` of this folder: FILE,
#                                    and sources of the core, compiled so that threads switch at their atomic operations
#   acre_explore_fault(NAME SOURCE OLD NEW)   the same with OLD, which SOURCE must have, replaced by NEW: a fault, which
#                                    the same orders must find (EXPLORE_FAULT); after acre_explore, and in its folder

# The sources are compiled with warnings elsewhere; the macros nest, which shadows names. Coroutines change stacks, which
# longjmp of _FORTIFY_SOURCE would take for damage.
set(ACRE_EXPLORE_FLAGS -w -U_FORTIFY_SOURCE
    "SHELL:-include ${PROJECT_SOURCE_DIR}/tests/support/explore_atomics.h")

function(acre_explore FILE)
    cmake_parse_arguments(PART "" "" "SOURCES;NEEDS;LABELS" ${ARGN})
    acre_has(has "${PART_LABELS}" ${PART_NEEDS})
    if(ACRE_SANITIZE OR NOT has)
        return()
    endif()
    acre_test_name(name explore)
    add_library(${name}_core STATIC EXCLUDE_FROM_ALL ${PART_SOURCES}
        ${PROJECT_SOURCE_DIR}/tests/support/explore_threads.c)
    target_link_libraries(${name}_core PRIVATE acre acre_private)
    target_include_directories(${name}_core PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    set_property(TARGET ${name}_core PROPERTY COMPILE_OPTIONS ${ACRE_EXPLORE_FLAGS})
    acre_test(explore ${FILE} LINK ${name}_core LABELS ${PART_LABELS})
    target_compile_options(${name} PRIVATE ${ACRE_EXPLORE_FLAGS})
    set_property(DIRECTORY PROPERTY ACRE_EXPLORE_FILE ${FILE})
    set_property(DIRECTORY PROPERTY ACRE_EXPLORE_LABELS ${PART_LABELS})
endfunction()

function(acre_explore_fault NAME SOURCE OLD NEW)
    acre_test_name(explore explore)
    if(NOT TARGET ${explore})
        return()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SOURCE})
    file(READ ${SOURCE} text)
    string(REPLACE "${OLD}" "${NEW}" changed "${text}")
    if(changed STREQUAL text)
        message(FATAL_ERROR "acre_explore_fault ${NAME}: ${SOURCE} does not have the text to replace")
    endif()
    set(made ${CMAKE_CURRENT_BINARY_DIR}/fault_${NAME}.c)
    file(CONFIGURE OUTPUT ${made} CONTENT "${changed}" @ONLY)
    get_property(file DIRECTORY PROPERTY ACRE_EXPLORE_FILE)
    get_property(labels DIRECTORY PROPERTY ACRE_EXPLORE_LABELS)
    acre_test(explore_${NAME} ${file} ${made} LINK ${explore}_core LABELS ${labels})
    acre_test_name(name explore_${NAME})
    target_compile_definitions(${name} PRIVATE EXPLORE_FAULT)
    target_compile_options(${name} PRIVATE ${ACRE_EXPLORE_FLAGS})
endfunction()
