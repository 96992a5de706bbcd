#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The page of `acre compare --report`: its figures are whole, nothing in a name gets out of them, and the heap
# map has each block where and as long as it lives.
import json
import os
import re
import subprocess
import sys
import tempfile

ACRE = os.path.join(os.environ["ACRE_BUILD"], "acre")
HOSTILE = "</script><script>alert(1)</script><!-- & \u00e9 \u2028"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def check(holds, what):
    if not holds:
        sys.exit("report: " + str(what))


def run(*words, code=0):
    done = subprocess.run([ACRE, "compare", "--repeat=1", *words], capture_output=True, text=True)
    check(done.returncode == code, f"code {done.returncode}: {done.stderr}")
    return done


def read_page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    figures = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    check(len(figures) == 1, "one set of figures")
    check("alert(1)</script>" not in text and "<script>alert" not in text, "a name got out")
    check(text.endswith("</html>\n"), "the page is cut")
    for outside in re.findall(r'(?:src|href)="([^"#]*)"', text):
        check(outside.startswith("data:"), "it loads " + outside)
    return json.loads(figures[0])


def numbers(text):
    number, weight = 0, 1
    for letter in text:
        value = LETTERS.index(letter)
        number += value % 32 * weight
        weight *= 32
        if value < 32:
            yield number
            number, weight = 0, 1


def blocks(heap):
    found, born = [], heap["window_first"] - 1
    column = list(numbers(heap["blocks"]))
    for age, life, offset, asked, more in zip(*[iter(column)] * 5):
        born += age
        found.append((born, born + life if life else None, offset, asked, more))
    return found


def looks(heap):
    column = numbers(heap["cells"])
    cells, found = [0] * heap["cell_count"], []
    for _ in heap["moments"]:
        at = 0
        for _ in range(next(column)):
            at += next(column)
            cells[at] = next(column)
            at += 1
        found.append(list(cells))
    check(next(column, None) is None, "cells are left over")
    return found


def disjoint(heap, op):
    live = sorted((o, a + m) for b, d, o, a, m in blocks(heap) if b <= op and (d is None or op < d))
    check(all(o + s <= heap["pool"] for o, s in live), "a block outside the pool")
    check(all(a[0] + a[1] <= b[0] for a, b in zip(live, live[1:])), "blocks that overlap")
    return len(live)


def short_run(folder):
    trace = os.path.join(folder, "short.acre")
    page = os.path.join(folder, "short.html")
    with open(trace, "w", encoding="utf-8") as file:
        file.write("acre-trace 1\nm 1 100\nm 2 200\nf 1\nr 2 5000\nm 1 300\nf 2\nf 1\n")
    plugin = os.path.join(os.environ["ACRE_BUILD"], "tests", "test_plugin.so")
    run("--allocator=tlsf", "--allocator=buddy", "--allocator=system", "--with=" + plugin, "--report=" + page, trace)
    data = read_page(page)
    names = [heap["name"] for heap in data["maps"]]
    check("tlsf" in names and "buddy" in names and "system" not in names, names)
    check([heap["name"] for heap in data["maps"] if not heap["walked"]] == ["bump"], names)
    for heap in data["maps"]:
        found = blocks(heap)
        check([(b, d, a) for b, d, _, a, _ in found] ==
              [(0, 2, 100), (1, 3, 200), (3, 5, 5000), (4, 6, 300)], found)
        check(heap["moments"] == list(range(7)) and len(looks(heap)) == 7, heap["moments"])
        check([disjoint(heap, op) for op in range(7)] == [1, 2, 1, 1, 2, 1, 0], "live blocks")
        live = [sum(cell // 16 for cell in cells) for cells in looks(heap)]
        check(live[-1] == 0 and live[4] == max(live) and min(live[:6]) > 0, live)
        check(all((sum(cell % 16 for cell in cells) > 0) == heap["walked"] for cells in looks(heap)), "metadata")


def long_run(folder):
    page = os.path.join(folder, "long.html")
    run("--allocator=tlsf", "--scenario=json", "--report=" + page)
    heap = read_page(page)["maps"][0]
    check(0 < heap["window_last"] - heap["window_first"] < 20000, "the window")
    check(not heap["too_many"] and len(heap["moments"]) == 160, "moments")
    for op in range(heap["window_first"], heap["window_last"], 500):
        check(disjoint(heap, op) > 100, "live blocks of a long run")


def names(folder):
    page = os.path.join(folder, "names.html")
    run("--allocator=tlsf", "--report=" + page, "--", "sh", "-c", "true", HOSTILE)
    check(HOSTILE in read_page(page)["source"], "the command line")
    done = run("--allocator=tlsf", "--report=/no/such/folder/page", "--scenario=kernel", code=1)
    check("cannot write '/no/such/folder/page'" in done.stderr, done.stderr)
    check("tlsf" in done.stdout, "the tables are printed all the same")


with tempfile.TemporaryDirectory() as work:
    if "preload" in sys.argv:
        names(work)
    else:
        short_run(work)
        long_run(work)
