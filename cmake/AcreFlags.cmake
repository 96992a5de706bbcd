# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre_flags: warnings and instrumentation for every target of this project, never exported.

add_library(acre_flags INTERFACE)

set(warnings
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wpointer-arith -Wcast-qual
    -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wdouble-promotion -Wfloat-equal
    -Wmissing-declarations -Wimplicit-fallthrough)
# A C++ function may bear its struct's name, as stat does; -Wshadow does not like it.
set(c_warnings -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs
    -Wbad-function-cast)
set(gcc_warnings -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Walloca
    -Wcast-align=strict -Wjump-misses-init)
set(clang_warnings -Wcomma -Wconditional-uninitialized -Wloop-analysis
    -Wunreachable-code-aggressive -Wassign-enum)

target_compile_options(acre_flags INTERFACE
    ${warnings}
    "$<$<COMPILE_LANGUAGE:C>:${c_warnings}>"
    "$<$<COMPILE_LANG_AND_ID:C,GNU>:${gcc_warnings}>"
    "$<$<COMPILE_LANG_AND_ID:C,Clang>:${clang_warnings}>"
    $<$<BOOL:${ACRE_WERROR}>:-Werror>)

if(ACRE_SANITIZE)
    set(sanitize -fsanitize=${ACRE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(acre_flags INTERFACE ${sanitize})
    target_link_options(acre_flags INTERFACE ${sanitize})
    target_compile_definitions(acre_flags INTERFACE ACRE_SANITIZED=1)
    if(ACRE_SANITIZE STREQUAL "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # It does not model fences; the one of the threaded heap orders writes for a forked child only.
        target_compile_options(acre_flags INTERFACE -Wno-tsan)
    endif()
endif()
# The core is counted, and the tests that call its headers from outside; the suites and what is hosted are not, since
# counting is slow.
add_library(acre_counted INTERFACE)
if(ACRE_COVERAGE)
    target_compile_options(acre_counted INTERFACE
        -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc)
    target_compile_definitions(acre_flags INTERFACE ACRE_COUNT_BRANCHES=1)
    target_link_options(acre_flags INTERFACE -fprofile-instr-generate)
endif()
if(ACRE_FUZZ)
    target_compile_options(acre_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
