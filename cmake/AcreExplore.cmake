# SPDX-License-Identifier: Apache-2.0 OR MIT
# Tests that run every order of a few calls of two or three threads, within bounds (tests/support/explore_threads.h).
#
#   acre_explore(FILE SOURCES FILES... [STORES] [NEEDS GATES...] [LABELS LABELS...])   the test `explore` of this folder:
#                                    FILE, and sources of the core, compiled so that threads switch at their atomic
#                                    operations; with STORES, where the compiler can (ACRE_HAS_STORES), at stores as well
#   acre_explore_fault(NAME SOURCE OLD NEW)   the same with OLD, which SOURCE must have, replaced by NEW: a fault, which
#                                    the same orders must find (EXPLORE_FAULT); after acre_explore, and in its folder

# Not in builds that join the sources of a folder: an object of theirs would define what these define again.
#
# The sources are compiled with warnings elsewhere; the macros nest, which shadows names. Coroutines change stacks, which
# longjmp of _FORTIFY_SOURCE would take for damage.
include(CheckCCompilerFlag)
set(ACRE_EXPLORE_FLAGS -w -U_FORTIFY_SOURCE
    "SHELL:-include ${PROJECT_SOURCE_DIR}/tests/support/explore_atomics.h")

# Sets OUT to the option that puts a call in front of every store.
function(acre_explore_stores OUT)
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    check_c_compiler_flag(-fsanitize=thread ACRE_HAS_STORES)
    set(${OUT} $<$<BOOL:${ACRE_HAS_STORES}>:-fsanitize=thread> PARENT_SCOPE)
endfunction()

function(acre_explore FILE)
    cmake_parse_arguments(PART "STORES" "" "SOURCES;NEEDS;LABELS" ${ARGN})
    acre_has(has "${PART_LABELS}" ${PART_NEEDS})
    if(ACRE_SANITIZE OR ACRE_JOIN OR NOT has)
        return()
    endif()
    acre_test_name(name explore)
    add_library(${name}_core STATIC EXCLUDE_FROM_ALL ${PART_SOURCES}
        ${PROJECT_SOURCE_DIR}/tests/support/explore_threads.c
        ${PROJECT_SOURCE_DIR}/tests/support/explore_stores.c)
    target_link_libraries(${name}_core PRIVATE acre acre_private)
    target_include_directories(${name}_core PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    set_property(TARGET ${name}_core PROPERTY COMPILE_OPTIONS ${ACRE_EXPLORE_FLAGS})
    if(PART_STORES)
        acre_explore_stores(option)
        set_source_files_properties(${PART_SOURCES} PROPERTIES COMPILE_OPTIONS "${option}")
        set_property(DIRECTORY PROPERTY ACRE_EXPLORE_OPTION "${option}")
    endif()
    acre_test(explore ${FILE} LINK ${name}_core LABELS ${PART_LABELS} coroutines)
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
    get_property(option DIRECTORY PROPERTY ACRE_EXPLORE_OPTION)
    set_source_files_properties(${made} PROPERTIES COMPILE_OPTIONS "${option}")
    acre_test(explore_${NAME} ${file} ${made} LINK ${explore}_core LABELS ${labels} coroutines)
    acre_test_name(name explore_${NAME})
    target_compile_definitions(${name} PRIVATE EXPLORE_FAULT)
    target_compile_options(${name} PRIVATE ${ACRE_EXPLORE_FLAGS})
endfunction()
