#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What acre compare says of a cache that grows holds when the program really runs.

Times are not asserted, for the machine may be busy. What is: the memory predicted for each candidate
is what the program takes on it; every candidate is timed on fresh pages with its blocks touched, and
what is predicted for the program is made of these figures alone, so that page faults count for all
alike; and what is advised instead of today's malloc is what is predicted to be faster.
"""
import json
import os
import subprocess
import sys

build = os.environ["ACRE_BUILD"]
candidates = ["system", "threaded", "tlsf", "slab", "heap/slab"]
command = [build + "/acre", "compare", "--json", "--verify", "--runs=1", "--repeat=3"]
for name in candidates:
    command += ["--allocator=" + name]
ran = subprocess.run(command + ["--", build + "/bench/programs/leak", "300000"],
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def fail(text):
    print(text)
    print(ran.stderr.decode())
    sys.exit(1)


if ran.returncode not in (0, 1):  # 1: the times are not as predicted
    fail("code %d" % ran.returncode)
# The program prints its sum first.
output = ran.stdout.decode()
result = json.loads(output[output.index("{"):])
rows = {row["name"]: row for row in result["allocators"]}
today = rows[result["today"]]
if result["today"] != "system":
    fail("today's malloc is " + result["today"])



def predicted_change(row):
    """Seconds by docs/decisions.md: the calls on fresh pages, starting, and reads of blocks that move."""
    operations = result["operations"]
    calls, todays = (each["ns_per_operation_touched_least"] * operations / 1e9 for each in (row, today))
    own = result["recorded_seconds"] - todays
    calls += (row["ns_to_start"] - today["ns_to_start"]) / 1e9  # one process
    if own <= 0 or not row["ns_per_visit"] or not today["ns_per_visit"]:
        return calls - todays
    reading = min(0.1 * today["ns_per_visit"] * operations / 1e9, 0.5 * own)
    return calls - todays + reading * (row["ns_per_visit"] / today["ns_per_visit"] - 1)


for name in candidates:
    row = rows[name]
    if row["fault"] or not row["verified"]:
        fail("%s does not serve it: %s" % (name, row["fault"]))
    if row["ns_per_operation_touched"] is None:
        fail(name + " was timed on touched pages only")
    said, due = row["predicted_change_seconds"], predicted_change(row)
    if said is not None and abs(said - due) > 1e-9 + 1e-6 * abs(due):
        fail("%s: %g s are predicted, its figures make %g" % (name, said, due))

trials = {trial["allocator"]: trial for trial in result["verification"]["trials"]}
for name, trial in trials.items():
    predicted, real = trial["predicted_resident_bytes"], trial["resident_bytes"]
    if name != "system" and not 0.9 * real <= predicted <= 1.1 * real:
        fail("%s: %d bytes resident were predicted, it takes %d" % (name, predicted, real))
if len(trials) < 2:
    fail("nothing but today's malloc was run")

advised = result["advised"]
if advised != "system" and rows[advised]["predicted_change_seconds"] >= 0:
    fail(advised + " is advised, and is predicted to be slower")
if result["verdict"].startswith("take " + advised) != (advised != "system"):
    fail("the verdict is of another: " + result["verdict"])
