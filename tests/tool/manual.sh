#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every subcommand that the tool's help names is in acre(1) and has a page of its own, which describes the
# options of its help and no others.
set -euo pipefail

pages=$ACRE_SOURCE/man
acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

subcommands() {
    "$acre" --help | awk '/^subcommands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

# "SUBCOMMAND --option[=VALUE]" for each line of a help that describes an option.
from_help() {
    subcommands | while read -r subcommand; do
        echo "$subcommand"
        [ "$subcommand" != help ] || continue
        "$acre" "$subcommand" --help | sed -n 's/^  \(-.,\|   \) \(--[^ ]*\).*/\2/p' |
            grep -v -x -e --help | sed "s/^/$subcommand /" || true
    done
}

# The same from the pages: each option is an item of a list.
from_pages() {
    grep -q '^\.Cm help$' "$pages/acre.1" && echo help
    sed -n 's/^\.It Xr acre-\([a-z]*\) 1$/\1/p' "$pages/acre.1" | while read -r subcommand; do
        echo "$subcommand"
        awk -v subcommand="$subcommand" '
            $1 == ".It" {
                option = ""
                for (i = 2; i <= NF; i++) {
                    if ($i == "Fl" && $(i + 1) ~ /^-/) option = "-" $(i + 1)
                    if ($i ~ /^Ns$/ && $(i + 1) == "=") { option = option "=" }
                    if ($i == "Ar") value = $(i + 1)
                }
                if (option ~ /=$/) option = option value
                if (option != "") print subcommand " " option
            }' "$pages/acre-$subcommand.1"
    done
}

from_help | sort -u >"$work/help"
from_pages | sort -u >"$work/manual"
[ "$(wc -l <"$work/help")" -gt 10 ] || { echo "the help names next to nothing"; exit 1; }
diff -u --label help --label manual "$work/help" "$work/manual"

# What a page says of its subcommand in a line is what the help says.
subcommands | grep -v -x help | while read -r subcommand; do
    "$acre" --help | sed -n "s/^  $subcommand  *//p" >"$work/line"
    grep -q -x -F ".Nd $(cat "$work/line")" "$pages/acre-$subcommand.1" ||
        { echo "acre-$subcommand(1) says something else than '$(cat "$work/line")'"; exit 1; }
done

if command -v mandoc >/dev/null; then
    mandoc -Tlint -W style "$pages"/*.1
fi
