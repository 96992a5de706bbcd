# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: awk -f scripts/count-tests.awk CTEST-OUTPUT LastTest.log
# Counts test cases: a cmocka program for each of its cases, any other test for one. A program that
# dies between its cases has failed one more. Every skip is named with the last line its test wrote,
# so that none goes unseen.

function one_case(word) {
    if (/test\(s\)/ || ($0 in seen)) return 0
    seen[$0] = 1
    if (word == "skipped") print "skipped: " name ": " substr($0, 14)
    return 1
}
FNR == NR {
    if (/Test +#[0-9]+: .*\*\*\*Skipped/) {
        sub(/^.*Test +#[0-9]+: /, "")
        program_skipped[$1] = 1
    }
    next
}
/^[0-9]+\/[0-9]+ Testing: / {
    name = $3
    ok = bad = skip = inside = 0
    last = ""
}
/^<end of output>$/ { inside = 0 }
inside && NF { last = $0 }
/^Output:$/ { getline; inside = 1 }
/^\[==========\] Running / { delete seen }
/^\[       OK \] / { ok++ }
/^\[  FAILED  \] ./ { bad += one_case("failed") }
/^\[  SKIPPED \] ./ { skip += one_case("skipped") }
/^Test (Passed|Failed)\./ { outcome = $2 }
/^".*" end time: / {
    if (name in program_skipped) {
        skip++
        print "skipped: " name ": " last
    } else if (outcome != "Passed.") {
        if (!bad) bad = 1
    } else if (!(ok + bad + skip)) {
        ok = 1
    }
    passed += ok
    failed += bad
    skipped += skip
    outcome = ""
}
END {
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0 || passed == 0
}
