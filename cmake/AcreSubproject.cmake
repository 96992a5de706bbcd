# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre as a part of another project, by add_subdirectory or FetchContent. CMake 3.16 is enough.
#
#   acre::acre            all of the core
#   acre::tlsf, acre::buddy, acre::slab, acre::arena, acre::bitmap, acre::heap, acre::threaded, acre::cache,
#   acre::wrap, acre::shared_handle       one part and what it needs
#   acre::malloc          libacre-malloc.so, to be preloaded (Linux)
#
# All are static libraries but the last, and none is built before something links it. The parent's
# flags, build type and variables stay as they are; there are no tests, tools or install rules.

option(ACRE_CHECK_POINTERS "Prove every pointer before anything is read through it" ON)
option(ACRE_HARDEN_METADATA "Prove TLSF's headers and links before they are followed" OFF)
option(ACRE_TLSF_WIDE "Blocks of TLSF without a limit, at 4 more bytes per block" OFF)
set(ACRE_MAX_POOL 0 CACHE STRING "Small machines: bytes of the largest region; 0: no limit")
option(ACRE_REGIONS "With ACRE_MAX_POOL: several regions" ON)
option(ACRE_ALIGNED "With ACRE_MAX_POOL: every alignment" ON)
set(ACRE_NATURAL_ALIGN "" CACHE STRING "Alignment of every block in bytes; empty: as any C object needs")

add_library(acre_headers INTERFACE)
target_include_directories(acre_headers INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(acre_headers INTERFACE
    ACRE_CHECK_POINTERS=$<BOOL:${ACRE_CHECK_POINTERS}> ACRE_TLSF_WIDE=$<BOOL:${ACRE_TLSF_WIDE}>
    ACRE_HARDEN_METADATA=$<BOOL:${ACRE_HARDEN_METADATA}> ACRE_MAX_POOL=${ACRE_MAX_POOL}
    ACRE_REGIONS=$<BOOL:${ACRE_REGIONS}> ACRE_ALIGNED=$<BOOL:${ACRE_ALIGNED}>)
if(ACRE_NATURAL_ALIGN)
    target_compile_definitions(acre_headers INTERFACE ACRE_NATURAL_ALIGN=${ACRE_NATURAL_ALIGN})
endif()

# acre_subproject_properties(TARGET): what every target of acre is compiled with.
function(acre_subproject_properties TARGET)
    target_include_directories(${TARGET} PRIVATE
        ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/hosted ${PROJECT_SOURCE_DIR})
    target_compile_options(${TARGET} PRIVATE $<$<C_COMPILER_ID:GNU>:-fno-semantic-interposition>)
    set_target_properties(${TARGET} PROPERTIES EXCLUDE_FROM_ALL ON POSITION_INDEPENDENT_CODE ON
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
endfunction()

# The functions that the CMakeLists.txt of a folder calls; cmake/AcreTargets.cmake has those of
# acre's own build.

function(acre_core)
    get_filename_component(part ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    if(part STREQUAL "shared")
        set(part shared_handle)
    endif()
    add_library(acre_${part} STATIC ${ARGN})
    add_library(acre::${part} ALIAS acre_${part})
    acre_subproject_properties(acre_${part})
    target_link_libraries(acre_${part} PUBLIC acre_headers)
    if(NOT part STREQUAL "base")
        target_link_libraries(acre_${part} PUBLIC acre_base)
    endif()
endfunction()

function(acre_core_options OPTION)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS ${OPTION})
endfunction()

function(acre_part NAME)
    cmake_parse_arguments(PART "" "" "LINK" ${ARGN})
    add_library(acre_${NAME} STATIC ${PART_UNPARSED_ARGUMENTS})
    acre_subproject_properties(acre_${NAME})
    set_target_properties(acre_${NAME} PROPERTIES C_VISIBILITY_PRESET hidden)
    target_compile_definitions(acre_${NAME} PRIVATE _GNU_SOURCE)
    target_link_libraries(acre_${NAME} PUBLIC ${PART_LINK} acre)
endfunction()

function(acre_preload NAME)
    cmake_parse_arguments(PART "" "" "LINK" ${ARGN})
    add_library(acre-${NAME} SHARED ${PART_UNPARSED_ARGUMENTS})
    add_library(acre::${NAME} ALIAS acre-${NAME})
    acre_subproject_properties(acre-${NAME})
    set_target_properties(acre-${NAME} PROPERTIES C_VISIBILITY_PRESET hidden)
    target_compile_definitions(acre-${NAME} PRIVATE _GNU_SOURCE)
    target_compile_options(acre-${NAME} PRIVATE -ftls-model=initial-exec)
    target_link_options(acre-${NAME} PRIVATE -Wl,-z,defs -Wl,--exclude-libs,ALL)
    target_link_libraries(acre-${NAME} PRIVATE ${PART_LINK} acre Threads::Threads)
endfunction()

file(STRINGS ${PROJECT_SOURCE_DIR}/hosted/registry/allocators.def entries REGEX "^ACRE_ALLOCATOR\\(")
set(ACRE_ALLOCATORS)
foreach(entry IN LISTS entries)
    string(REGEX REPLACE "^ACRE_ALLOCATOR\\(([a-z_]+),.*" "\\1" allocator "${entry}")
    list(APPEND ACRE_ALLOCATORS ${allocator})
endforeach()

add_library(acre INTERFACE)
add_library(acre::acre ALIAS acre)
foreach(folder base cache ${ACRE_ALLOCATORS} threaded wrap shared)
    add_subdirectory(src/${folder})
    if(folder STREQUAL "shared")
        set(folder shared_handle)
    endif()
    target_link_libraries(acre INTERFACE acre_${folder})
endforeach()
foreach(allocator IN LISTS ACRE_ALLOCATORS)
    if(NOT allocator STREQUAL "heap")
        target_link_libraries(acre_heap PUBLIC acre_${allocator})
    endif()
endforeach()

# Every part is there, for folders that ask.
set(ACRE_BITMAP ON)
set(ACRE_THREADED ON)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    find_package(Threads REQUIRED)
    foreach(folder number os registry malloc)
        add_subdirectory(hosted/${folder})
    endforeach()
endif()
