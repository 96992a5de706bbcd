#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What --json prints is what docs/schema says. Exit code 77: python3-jsonschema is not installed."""
import copy
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    # Another python3 may stand in front of the system's, which has the package.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("python3-jsonschema is not installed")
    sys.exit(77)

ACRE = os.path.join(os.environ["ACRE_BUILD"], "acre")
SCHEMAS = os.path.join(os.environ["ACRE_SOURCE"], "docs", "schema")


def validator(name):
    with open(os.path.join(SCHEMAS, name + ".json"), encoding="ascii") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def output(*words):
    done = subprocess.run([ACRE, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def check(name, document):
    """The document is valid, and would not be without one of its members or with one of another type."""
    checker = validator(name)
    checker.validate(document)
    for member in checker.schema["required"]:
        less = {key: value for key, value in document.items() if key != member}
        assert not checker.is_valid(less), f"{name}: {member} is not required"
        other = copy.copy(document)
        other[member] = [[]]
        assert not checker.is_valid(other), f"{name}: {member} may be anything"


def main():
    with tempfile.TemporaryDirectory() as work:
        text, trace = os.path.join(work, "text"), os.path.join(work, "x.acre")
        with open(text, "w", encoding="ascii") as file:
            file.write("acre-trace 1\nprocess 1 0 started one\n@ 1000\n")
            for i in range(50):
                file.write(f"m {i} {i * 40 + 1}\n")
            file.write("@ 90000\nf 3\n")
        subprocess.run([ACRE, "convert", "-o", trace, text], check=True)
        check("compare", output("compare", "--json", "--repeat=1", "--allocator=system", "--allocator=tlsf", trace))
        check("compare", output("compare", "--json", "--repeat=1", "--allocator=system", "--scenario=json"))
        check("replay", output("replay", "--json", "--repeat=1", trace))
        with open(text, "w", encoding="ascii") as file:
            file.write("acre-trace 1\nprocess 1 0 started two\n")
            for i in range(500):
                file.write(f"t 0\nm {i} 40\nt 1\nf {i}\n")
        subprocess.run([ACRE, "convert", "-o", trace, text], check=True)
        check("compare", output("compare", "--json", "--repeat=1", "--allocator=system", "--allocator=tlsf", trace))
        check("replay", output("replay", "--json", "--repeat=1", "--allocator=system", trace))
        check("info", output("info", "--json", trace))
        plugin = os.path.join(os.environ["ACRE_BUILD"], "tests", "naive_plugin.so")
        check("verify", output("verify", "--json", "--runs=1", "--with=" + plugin))


main()
