# SPDX-License-Identifier: Apache-2.0 OR MIT
# What `make install` puts where. Every path is found from its neighbours, never from the prefix, so
# that an installed tree can be moved.

include(CMakePackageConfigHelpers)

if(ACRE_DYNAMIC)
    set(libraries acre acre_shared acre_headers)
else()
    set(libraries acre acre_headers)
endif()
install(TARGETS ${libraries} EXPORT acreTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The installed config.h has for defaults what this build was made with.
get_property(build_options GLOBAL PROPERTY ACRE_BUILD_OPTIONS)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS include/acre/config.h)
file(READ ${PROJECT_SOURCE_DIR}/include/acre/config.h config)
foreach(option IN LISTS build_options)
    string(REPLACE "=" ";" pair ${option})
    list(GET pair 0 name)
    list(GET pair 1 value)
    string(REGEX REPLACE "(\n#define ${name} )([0-9]+|ACRE_ALIGNOF[^\n]*)" "\\1${value}" config "${config}")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/installed/config.h CONTENT "${config}" @ONLY)
list(JOIN build_options "\n" option_lines)
file(WRITE ${PROJECT_BINARY_DIR}/installed/build-options.txt "${option_lines}\n")

install(DIRECTORY include/acre DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    PATTERN config.h EXCLUDE)
install(FILES ${PROJECT_BINARY_DIR}/installed/config.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/acre)

# The parts that are in the library, for find_package(acre COMPONENTS ...).
set(ACRE_PARTS "base cache")
get_property(gates GLOBAL PROPERTY ACRE_GATES)
foreach(gate IN LISTS gates)
    if(${gate})
        string(REGEX REPLACE "^ACRE_" "" part ${gate})
        string(TOLOWER ${part} part)
        string(REGEX REPLACE "^shared$" "shared_handle" part ${part})
        string(APPEND ACRE_PARTS " ${part}")
    endif()
endforeach()

# pkg-config and CMake.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/acre)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig
    OUTPUT_VARIABLE ACRE_PREFIX_FROM_PC)
configure_file(cmake/acre.pc.in ${PROJECT_BINARY_DIR}/installed/acre.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/installed/acre.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/installed/acreConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
cmake_path(RELATIVE_PATH ACRE_PRELOAD_DIR BASE_DIRECTORY ${package_dir} OUTPUT_VARIABLE ACRE_PRELOAD_FROM_CONFIG)
configure_file(cmake/acreConfig.cmake.in ${PROJECT_BINARY_DIR}/installed/acreConfig.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/installed/acreConfig.cmake ${PROJECT_BINARY_DIR}/installed/acreConfigVersion.cmake
    DESTINATION ${package_dir})
install(EXPORT acreTargets NAMESPACE acre:: DESTINATION ${package_dir})

file(GLOB manuals ${PROJECT_SOURCE_DIR}/man/*.1)
install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/acre.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME acre)
install(FILES completions/_acre DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/acre.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
