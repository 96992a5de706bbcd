#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: manifests.py PACKAGES-FOLDER

Holds the manifests against what their registries document: the keys that must be there, no others, the form of
the values, and that the files they name exist in the packages.
"""
import json
import re
import sys
from pathlib import Path

import kconfiglib
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = Path(sys.argv[1])
SEMVER = re.compile(r"\d+\.\d+\.\d+")
ARDUINO_CATEGORIES = ["Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing",
                      "Data Storage", "Data Processing", "Other"]
faults = []


def hold(file, what, holds):
    if not holds:
        faults.append(f"{file}: {what}")


def keys(file, table, must, may=()):
    for key in must:
        hold(file, f"{key} is missing", table.get(key) not in (None, "", []))
    for key in table:
        hold(file, f"{key} is not known to the registry", key in must or key in may)


def vcpkg():
    file = "packaging/vcpkg/vcpkg.json"
    table = json.loads((ROOT / file).read_text())
    keys(file, table, ["name", "version-semver", "description", "license", "dependencies"], ["$schema", "supports"])
    hold(file, "name", re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", table["name"]))
    hold(file, "version", SEMVER.fullmatch(table["version-semver"]))
    called = re.findall(r"^(vcpkg_cmake_\w+)\(", (ROOT / "packaging/vcpkg/portfile.cmake").read_text(), re.M)
    helpers = {entry["name"] for entry in table["dependencies"] if entry.get("host")}
    for function in called:
        helper = "vcpkg-cmake-config" if "config_fixup" in function else "vcpkg-cmake"
        hold(file, f"{function} comes from {helper}, which is no host dependency", helper in helpers)


def platformio():
    file = "packaging/platformio/library.json"
    table = json.loads((ROOT / file).read_text())
    keys(file, table, ["name", "version", "description", "keywords"],
         ["$schema", "license", "headers", "frameworks", "platforms", "build"])
    hold(file, "version", SEMVER.fullmatch(table["version"]))
    keys(file + " build", table["build"], [], ["srcDir", "includeDir", "srcFilter", "flags"])
    package = PACKAGES / "platformio/acre"
    hold(file, "headers", (package / table["build"]["includeDir"] / table["headers"]).is_file())
    hold(file, "srcDir", (package / table["build"]["srcDir"] / "acre.c").is_file())


def arduino():
    file = "packaging/arduino/library.properties"
    lines = (ROOT / file).read_text().splitlines()
    table = dict(line.split("=", 1) for line in lines if line)
    keys(file, table, ["name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
                       "architectures"], ["includes", "depends", "dot_a_linkage", "ldflags", "precompiled"])
    hold(file, "version", SEMVER.fullmatch(table["version"]))
    hold(file, "name", re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", table["name"]))
    hold(file, "category", table["category"] in ARDUINO_CATEGORIES)
    hold(file, "includes", (PACKAGES / "arduino/acre/src" / table["includes"]).is_file())
    hold(file, "an example in a folder of its name", (PACKAGES / "arduino/acre/examples/Arena/Arena.ino").is_file())


def esp_idf():
    file = "packaging/esp-idf/idf_component.yml"
    table = yaml.safe_load((ROOT / file).read_text())
    keys(file, table, ["version", "description"], ["license", "tags", "dependencies", "url", "repository", "files"])
    hold(file, "version", SEMVER.fullmatch(table["version"]))
    hold(file, "tags", all(3 <= len(tag) <= 32 for tag in table["tags"]))
    hold(file, "license file", (PACKAGES / "esp-idf/acre/LICENSE").is_file())


def zephyr():
    file = "packaging/zephyr/module.yml"
    table = yaml.safe_load((ROOT / file).read_text())
    keys(file, table, ["name", "build"])
    keys(file + " build", table["build"], ["cmake", "kconfig"])
    module = PACKAGES / "zephyr/acre"
    hold(file, "cmake", (module / table["build"]["cmake"] / "CMakeLists.txt").is_file())
    symbols = kconfiglib.Kconfig(str(module / table["build"]["kconfig"]), warn_to_stderr=False)
    hold("packaging/zephyr/Kconfig", str(symbols.warnings), not symbols.warnings)
    text = (module / "zephyr/CMakeLists.txt").read_text()
    for name in re.findall(r"CONFIG_(\w+)", text):
        hold("packaging/zephyr/CMakeLists.txt", f"{name} is not in Kconfig", name in symbols.syms)
    symbols.syms["ACRE"].set_value(2)
    hold("packaging/zephyr/Kconfig", "pointers are proven by default",
         symbols.syms["ACRE_CHECK_POINTERS"].str_value == "y")


def github():
    file = ".github/workflows/ci.yml"
    table = yaml.safe_load((ROOT / file).read_text())
    keys(file, {str(key): value for key, value in table.items()}, ["name", "True", "jobs"], ["permissions"])
    steps = [step for job in table["jobs"].values() for step in job["steps"]]
    hold(file, "each step runs or uses something", all(("run" in step) != ("uses" in step) for step in steps))
    hold(file, ".ci/run is called", any(step.get("run") == ".ci/run" for step in steps))


for check in (vcpkg, platformio, arduino, esp_idf, zephyr, github):
    check()
for fault in faults:
    print(f"manifests: {fault}", file=sys.stderr)
if not faults:
    print("manifests: 6 of them, no fault")
sys.exit(bool(faults))
