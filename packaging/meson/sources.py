#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Prints the sources of the core, as the CMakeLists.txt of its folders name them, for meson.build."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
for lists in sorted((ROOT / "src").glob("*/CMakeLists.txt")):
    for call in re.findall(r"acre_core\(([^)]*)\)", lists.read_text()):
        for name in call.split():
            if name.endswith(".c"):
                print(lists.parent / name)
