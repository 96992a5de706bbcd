#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every subcommand and option that the tool's help names is in the manual page, under that subcommand,
# and the other way round.
set -euo pipefail

manual=$ACRE_SOURCE/man/acre.1
acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "SUBCOMMAND --option[=VALUE]" for each line of a help that describes an option.
from_help() {
    "$acre" --help | awk '/^subcommands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' |
        while read -r subcommand; do
            echo "$subcommand"
            [ "$subcommand" != help ] || continue
            "$acre" "$subcommand" --help | sed -n 's/^  \(-.,\|   \) \(--[^ ]*\).*/\2/p' |
                grep -v -x -e --help | sed "s/^/$subcommand /" || true
        done
}

# The same from the page: each subcommand is a subsection (.Ss), each option an item of a list.
from_manual() {
    awk '
        $1 == ".Ss" { subcommand = $2; print subcommand }
        $1 == ".Sh" { subcommand = "" }
        subcommand != "" && $1 == ".It" {
            option = ""
            for (i = 2; i <= NF; i++) {
                if ($i == "Fl" && $(i + 1) ~ /^-/) option = "-" $(i + 1)
                if ($i ~ /^Ns$/ && $(i + 1) == "=") { option = option "=" }
                if ($i == "Ar") value = $(i + 1)
            }
            if (option ~ /=$/) option = option value
            if (option != "") print subcommand " " option
        }' "$manual"
}

from_help | sort -u >"$work/help"
from_manual | sort -u >"$work/manual"
[ "$(wc -l <"$work/help")" -gt 10 ] || { echo "the help names next to nothing"; exit 1; }
diff -u --label help --label manual "$work/help" "$work/manual"

if command -v mandoc >/dev/null; then
    mandoc -Tlint -W style "$manual"
fi
