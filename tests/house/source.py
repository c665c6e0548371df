#!/usr/bin/env python3
"""The rules of the source tree that a compiler doesn't check. usage: source.py"""
import glob
import os
import re
import sys

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RANKS = {"base": 1, "tokenize": 2, "idmap": 2, "embed": 2, "stream": 2, "formats": 3, "pipeline": 4,
         "cli": 5}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strncpy", "strncat", "atoi", "atol", "atoll",
          "atof", "gets", "strtok", "alloca", "system", "popen", "tmpnam", "mktemp", "rand", "srand"]
IN_THE_LIBRARY = ["exit", "_exit", "abort", "assert", "printf", "fprintf", "puts", "fputs", "putchar",
                  "perror", "signal", "setlocale", "malloc", "calloc", "realloc", "free", "strdup"]


def files(*patterns):
    found = []
    for pattern in patterns:
        found += glob.glob(os.path.join(ROOT, pattern), recursive=True)
    return sorted(os.path.relpath(path, ROOT) for path in found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def without_comments(text):
    """The code with comments and strings blanked, line by line the same."""
    def blank(match):
        return "".join(c if c == "\n" else " " for c in match.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


SOURCES = files("src/**/*.c", "src/**/*.h", "include/**/*.h")
LIBRARY = [path for path in SOURCES if not path.startswith("src/cli/")
           and not path.endswith("_generate.c")]
TESTS = files("tests/**/*.c", "tests/**/*.h")


def find_calls(paths, names):
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names))
    return [f"{path}:{number}: {match.group(1)}" for path in paths
            for number, line in enumerate(without_comments(read(path)).splitlines(), 1)
            for match in pattern.finditer(line)]


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(path), re.M)


def each_layer_includes_only_lower_ones():
    wrong = []
    for path in files("src/**/*.c", "src/**/*.h"):
        layer = path.split(os.sep)[1]
        for name in includes(path):
            target = name.split("/")[0] if "/" in name else layer
            if target == "lexmill" or target == layer != "cli":
                continue
            if layer == "cli" and "/" not in name:
                continue
            if layer == "cli" or RANKS.get(target, 9) >= RANKS[layer]:
                wrong.append(f"{path} includes {name}")
    return wrong


def public_headers_include_only_public_ones():
    return [f"{path} includes {name}" for path in files("include/**/*.h")
            for name in includes(path) if not name.startswith("lexmill/")]


def every_folder_of_the_source_is_a_layer():
    return [path for path in files("src/**/*.c", "src/**/*.h") if path.split(os.sep)[1] not in RANKS]


def no_unchecked_calls():
    return find_calls(SOURCES + TESTS, BANNED)


def banned_words_stand_in_no_comment_either():
    pattern = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|gets|TODO|FIXME|XXX|HACK)\b")
    return [f"{path}:{number}: {match.group()}" for path in SOURCES
            for number, line in enumerate(read(path).splitlines(), 1)
            for match in pattern.finditer(line)]


def the_library_never_prints_exits_or_takes_memory_of_its_own():
    allowed = {"src/base/memory.c": ("malloc", "realloc", "free")}
    wrong = []
    for line in find_calls(LIBRARY, IN_THE_LIBRARY):
        path, name = line.split(":")[0], line.split(": ")[1]
        if name in allowed.get(path, ()):
            continue
        wrong.append(line)
    return wrong


def files_are_short():
    return [f"{path}: {count} lines" for path in SOURCES
            if (count := read(path).count("\n")) > 600 and not path.endswith("_table.c")]


def functions_are_short():
    wrong = []
    for path in SOURCES + TESTS:
        begin, name = None, ""
        for number, line in enumerate(read(path).splitlines(), 1):
            if line == "{":
                begin = number
            elif line.startswith("}"):
                if begin and number - begin > 80:
                    wrong.append(f"{path}:{begin}: {number - begin} lines: {name}")
                begin = None
            elif re.match(r"[A-Za-z].*\(", line):
                name = line
    return wrong


def no_text_names_a_machine():
    pattern = re.compile(r"(?<![\w.~/])/(work|root|home)/")
    return [f"{path}:{number}" for path in SOURCES + files("README.md", "**/*.scd", "**/meson.build")
            for number, line in enumerate(read(path).splitlines(), 1) if pattern.search(line)]


def text_ends_lines_as_editorconfig_says():
    wrong = []
    for path in SOURCES + TESTS + files("README.md", "**/meson.build", "tests/**/*.py", "**/*.scd"):
        text = read(path)
        if "\r" in text or not text.endswith("\n") or re.search(r"[ \t]+$", text, re.M):
            wrong.append(f"{path}: white space at a line's end, \\r, or no newline at the end")
    return wrong


def every_unit_test_is_run():
    listed = read("tests/unit/meson.build")
    return [path for path in files("tests/unit/test_*.c")
            if f"'{os.path.basename(path)[5:-2]}'" not in listed]


if __name__ == "__main__":
    sys.exit(tap.run([each_layer_includes_only_lower_ones, public_headers_include_only_public_ones,
                      every_folder_of_the_source_is_a_layer, no_unchecked_calls,
                      banned_words_stand_in_no_comment_either,
                      the_library_never_prints_exits_or_takes_memory_of_its_own, files_are_short,
                      functions_are_short, no_text_names_a_machine,
                      text_ends_lines_as_editorconfig_says, every_unit_test_is_run]))
