#!/usr/bin/env python3
"""What is built keeps to what is written: headers alone, symbols, options and their manual.

usage: product.py --build BUILD --shared LIBRARY --static LIBRARY -- CC [ARGUMENT]...
"""
import functools
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADERS = sorted(os.path.basename(path) for path in glob.glob(f"{ROOT}/include/lexmill/*.h"))
PROGRAMS = ("tokenize", "idmap", "embed", "lexmill")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only", "-I", f"{ROOT}/include"]
options = {}


def compile_each(compiler):
    wrong = []
    for header in HEADERS:
        # twice, for its guard
        text = f'#include "lexmill/{header}"\n' * 2
        done = subprocess.run(compiler + STRICT + ["-"], input=text, capture_output=True, text=True)
        if done.returncode:
            wrong += [f"lexmill/{header}"] + done.stderr.splitlines()[:5]
    return wrong


def each_header_compiles_alone_as_strict_c11():
    return compile_each(options["compiler"] + ["-std=c11", "-x", "c"])


def each_header_compiles_alone_as_cxx():
    """there is no C++ compiler"""
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    return compile_each([compiler, "-std=c++11", "-x", "c++"]) if compiler else None


def the_umbrella_includes_every_header():
    with open(f"{ROOT}/include/lexmill/lexmill.h", encoding="utf-8") as file:
        text = file.read()
    return [header for header in HEADERS if header != "lexmill.h" and f'"lexmill/{header}"' not in text]


def declared():
    names = set()
    for header in HEADERS:
        with open(f"{ROOT}/include/lexmill/{header}", encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        names |= set(re.findall(r"LXM_API[^;]*?\b(lxm_\w+)\s*\(", text))
    return names


def symbols(arguments, path):
    done = subprocess.run(["nm"] + arguments + [path], capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines() if len(line.split()) == 3]


def the_shared_library_exports_what_the_headers_declare():
    """nm is missing"""
    if not shutil.which("nm"):
        return None
    exported = {name.split("@")[0] for _, kind, name in symbols(["-D", "--defined-only"],
                                                               options["shared"]) if kind != "A"}
    return ([f"not exported: {name}" for name in sorted(declared() - exported)] +
            [f"not declared: {name}" for name in sorted(exported - declared())])


def every_name_of_the_static_library_is_ours():
    """nm is missing"""
    if not shutil.which("nm"):
        return None
    foreign = ("__asan", "__odr_asan", "__ubsan", "__tsan", "__sanitizer", "_DYNAMIC", "__start", "__stop")
    return sorted({name for _, kind, name in symbols(["-g", "--defined-only"], options["static"])
                   if kind not in "Nn" and not name.startswith(("lxm_", "XXH_") + foreign)})


def run_program(program, *arguments):
    return subprocess.run([os.path.join(options["build"], program), *arguments], capture_output=True,
                          text=True).stdout


@functools.lru_cache(None)
def help_of(program):
    """Its help, and what its commands have of their own."""
    text = run_program(program, "--help")
    commands = set(re.findall(rf"\b{program} ([a-z]+)\b", text.split("\n\n")[0]))
    others = {run_program(program, command, "--help") for command in commands}
    return "\n".join([text] + sorted(others - {text}))


def manual(program):
    with open(f"{ROOT}/src/cli/{program}.1.scd", encoding="utf-8") as file:
        return re.sub(r"\\(.)", r"\1", file.read())


def mentioned(text):
    """Long options, but for those of a program that is named; --[no-]progress is two."""
    text = re.sub(r"\bsee (tokenize|idmap|embed|lexmill) --[a-z-]+", "", text)
    text = text.replace("--[no-]progress", "--progress --no-progress")
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]*[a-z])", text))


@functools.lru_cache(None)
def known_to(program):
    """The long options that the program takes, asked one by one of those that anything mentions."""
    names = set()
    for other in PROGRAMS:
        names |= mentioned(help_of(other)) | mentioned(manual(other))
    known = set()
    for name in names:
        # one that wants an argument takes --help for it and goes on: in a folder of its own
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([os.path.join(options["build"], program), f"--{name}", "--help"],
                                  cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        # an unknown option, or a prefix of one, is said so before --help is reached
        if "unrecognized option" not in done.stderr and "ambiguous" not in done.stderr:
            known.add(name)
    return known


def help_and_manual_name_the_same_options():
    wrong = []
    for program in PROGRAMS:
        known = known_to(program)
        in_help, in_manual = mentioned(help_of(program)) & known, mentioned(manual(program)) & known
        wrong += [f"{program}: --{name} is not in the manual" for name in sorted(in_help - in_manual)]
        wrong += [f"{program}: --{name} is not in --help" for name in sorted(in_manual - in_help)]
    return wrong


def help_and_manual_name_only_options_that_are_there():
    wrong = []
    for program in PROGRAMS:
        known = known_to(program)
        for line in re.sub(r"examples:(\n  .*)*", "", help_of(program)).splitlines():
            wrong += [f"{program} --help: --{name}" for name in mentioned(line) - known]
        heads = re.findall(r"^\*-.*$", manual(program), re.M)
        wrong += [f"{program}.1: --{name}" for name in mentioned("\n".join(heads)) - known]
    return sorted(wrong)


def main():
    split = sys.argv.index("--")
    pairs = sys.argv[1:split]
    options.update({pairs[i][2:]: os.path.abspath(pairs[i + 1]) for i in range(0, len(pairs), 2)})
    options["compiler"] = sys.argv[split + 1:]
    return tap.run([each_header_compiles_alone_as_strict_c11, each_header_compiles_alone_as_cxx,
                    the_umbrella_includes_every_header,
                    the_shared_library_exports_what_the_headers_declare,
                    every_name_of_the_static_library_is_ours, help_and_manual_name_the_same_options,
                    help_and_manual_name_only_options_that_are_there])


if __name__ == "__main__":
    sys.exit(main())
