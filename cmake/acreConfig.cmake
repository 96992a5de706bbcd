# SPDX-License-Identifier: Apache-2.0 OR MIT
# find_package(acre) gives the targets acre::acre (static) and acre::shared.
include(${CMAKE_CURRENT_LIST_DIR}/acreTargets.cmake)
