# SPDX-License-Identifier: Apache-2.0 OR MIT
# An overlay port: it builds the sources that it stands in.
#   vcpkg install acre --overlay-ports=ACRE/packaging/vcpkg
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

string(COMPARE EQUAL "${VCPKG_LIBRARY_LINKAGE}" "dynamic" dynamic)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS -DACRE_HOSTED=OFF -DACRE_TESTS=OFF -DACRE_BENCH=OFF -DACRE_DYNAMIC=${dynamic})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/acre)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share"
    "${CURRENT_PACKAGES_DIR}/share/man")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE"
    "${SOURCE_PATH}/LICENSES/Apache-2.0.txt" "${SOURCE_PATH}/LICENSES/MIT.txt")
