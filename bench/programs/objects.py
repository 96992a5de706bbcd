#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Dictionaries, strings and lists, grown and dropped. usage: objects.py [ROUNDS]"""
import json
import sys


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    total = 0
    for turn in range(rounds):
        people = [{"name": f"person {i}", "tags": [f"t{i % 7}", f"u{i % 11}"], "age": i * turn % 90}
                  for i in range(4000)]
        text = json.dumps(people)
        again = json.loads(text)
        by_age = {}
        for person in again:
            by_age.setdefault(person["age"], []).append(person["name"].upper())
        total += sum(len(",".join(names)) for names in by_age.values())
    print(total)


main()
