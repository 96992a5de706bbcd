# SPDX-License-Identifier: Apache-2.0 OR MIT
# Reads ctest's LastTest.log. A cmocka program counts for each of its cases, any other test for one.
# Every skip is named before the count, so that none goes unseen.

/^[0-9]+\/[0-9]+ Testing: / { name = $3; ok = bad = skip = 0; program_skipped = 0 }
/^\[       OK \] / { ok++ }
/^\[  FAILED  \] .*[^:]$/ && !/test\(s\)/ { if (!($0 in failed_case)) { failed_case[$0] = 1; bad++ } }
/^\[  SKIPPED \] .*[^:]$/ && !/test\(s\)/ { if (!($0 in skipped_case)) { skipped_case[$0] = 1; skip++; print "skipped: " name " " $NF } }
/^\[==========\] Running / { delete failed_case; delete skipped_case }
/^Test Passed\.|^Test Failed\.|^Test Pass Reason|^Test Fail Reason|^Test timed out|^Unable to find executable/ { outcome = $0 }
/^Test Skipped|^Test not run|SKIP_RETURN_CODE|Skip Regular/ { program_skipped = 1 }
/^".*" (end time|time elapsed):/ && /end time/ {
    if (ok + bad + skip == 0) {
        if (program_skipped) { skip = 1; print "skipped: " name }
        else if (outcome ~ /^Test Passed/) ok = 1
        else bad = 1
    } else if (bad == 0 && outcome !~ /^Test Passed/) {
        bad = 1
    }
    passed += ok; failed += bad; skipped += skip
    outcome = ""
}
END {
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0
}
