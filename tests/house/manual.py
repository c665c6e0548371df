#!/usr/bin/env python3
"""Keeps tokenize(1) true where it repeats what stands elsewhere: the speed table of README.md, and the
code points in which Unicode versions differ, of testdata/oracles.

usage: manual.py [--write]      --write puts into the page what belongs there

Such a part of the page stands between "; begin NAME" and "; end".
"""
import os
import re
import sys
import textwrap

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "src", "cli", "tokenize.1.scd")
FAMILIES = (("*gpt2*, *r50k*, *p50k*, *cl100k*, *llama3*, *qwen2*",
             ("gpt2", "cl100k", "llama3", "qwen2")),
            ("*o200k*", ("o200k",)),
            ("*bert*", ("bert",)),
            ("*bert* with *--lowercase --strip-marks*", ("bert-uncased",)))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def speed():
    """README's table as scdoc's."""
    lines = read("README.md").split("\n## Speed\n", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines
            if line.startswith("| ") and not line.startswith("| ---")]
    rows[0][0] = "preset, text"
    out = []
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sign = ":" if column else "|" if number else "["
            align = " " if number else "[" if column == 0 else "]"
            out.append(f"{sign}{align} {re.sub('`(.*?)`', bold, cell)}")
    return "\n".join(out)


def bold(match):
    """What README sets as code is bold in a manual page."""
    return f"*{match.group(1)}*"


def ranges(presets):
    points = set()
    for line in read("testdata", "oracles", "unicode.tsv").splitlines():
        preset, _, first, last, *_ = line.split("\t")
        if preset in presets:
            points |= set(range(int(first, 16), int(last, 16) + 1))
    found = []
    for c in sorted(points):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return len(points), [f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in found]


def unicode_lists():
    parts = []
    for names, presets in FAMILIES:
        count, found = ranges(presets)
        text = textwrap.fill(" ".join(found), 96, break_on_hyphens=False)
        parts.append(f"{names}: {count:,}\n" + textwrap.indent(text, "\t"))
    return "\n\n".join(parts)


PARTS = {"speed": speed, "unicode": unicode_lists}


def check(name):
    found = re.search(rf"^; begin {name}\n(.*?)\n; end$", read(PAGE), re.M | re.S)
    if not found:
        return [f"{PAGE} has no part {name}"]
    want, have = PARTS[name]().splitlines(), found.group(1).strip("\n").splitlines()
    if want == have:
        return []
    return [f"- {line}" for line in have if line not in want] + \
        [f"+ {line}" for line in want if line not in have] + ["run tests/house/manual.py --write"]


def tokenize_has_readmes_speed_table():
    return check("speed")


def tokenize_has_the_code_points_that_differ():
    return check("unicode")


def write():
    text = read(PAGE)
    for name, make in PARTS.items():
        text = re.sub(rf"^; begin {name}\n.*?^; end$", f"; begin {name}\n\n{make()}\n\n; end", text,
                      count=1, flags=re.M | re.S)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
        sys.exit(0)
    sys.exit(tap.run([tokenize_has_readmes_speed_table, tokenize_has_the_code_points_that_differ]))
