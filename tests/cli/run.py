#!/usr/bin/env python3
"""Runs the programs as a user does: tables of command, input, output and exit status.

usage: run.py --build BUILD [--only WORDS] FILE.test...

A table is plain text. A case begins with its name and may have several steps, which share a fresh
scratch folder that has testdata/ in it:

    == the name of the case
    % test -e /dev/full            the case is skipped unless this succeeds; numpy is a Python
                                   that has NumPy, $CLI the folder of the tables
    < a line of standard input     for the next command; "<- " is one without a newline
    $ tokenize -d line             the command, for sh; BUILD stands first in the PATH
    > a line of standard output    exactly; ">- " is one without a newline
    >> words.txt                   or: standard output is that file of the scratch folder
    ! tokenize: *: is a folder     a line of standard error; * stands for anything
    ? 1                            the exit status, if it isn't 0

Lines that begin with # and empty lines are left out. Standard error without a line is empty.
Output is TAP, for meson. LC_ALL is C unless the command says something else.
"""
import argparse
import concurrent.futures
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT = 120


class Step:
    def __init__(self, command, stdin):
        self.command, self.stdin = command, stdin
        self.stdout, self.stdout_file, self.stderr, self.status = b"", None, [], 0


class Case:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.conditions, self.steps = [], []


def line_of(text, sign):
    """The bytes of a line '> text' or '>- text'."""
    rest = text[len(sign):]
    if rest.startswith("- "):
        return rest[2:].encode("utf-8", "surrogateescape")
    return (rest[1:] + "\n").encode("utf-8", "surrogateescape")


def parse(path):
    cases, stdin = [], b""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            place = f"{os.path.basename(path)}:{number}"
            if line.startswith("== "):
                cases.append(Case(line[3:], place))
                stdin = b""
            elif line == "" or line.startswith("#"):
                continue
            elif line.startswith("% "):
                cases[-1].conditions.append(line[2:])
            elif line.startswith("<"):
                stdin += line_of(line, "<")
            elif line.startswith("$ "):
                cases[-1].steps.append(Step(line[2:], stdin))
                stdin = b""
            elif line.startswith(">> "):
                cases[-1].steps[-1].stdout_file = line[3:]
            elif line.startswith(">"):
                cases[-1].steps[-1].stdout += line_of(line, ">")
            elif line.startswith("! "):
                cases[-1].steps[-1].stderr.append(line[2:])
            elif line.startswith("? "):
                cases[-1].steps[-1].status = int(line[2:])
            else:
                sys.exit(f"{place}: not a line of a table: {line}")
    return cases


def find_numpy():
    """A folder with a link named numpy to a Python that has NumPy, if there is one."""
    folder = tempfile.mkdtemp(prefix="lexmill-cli.")
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", "import numpy"],
                                                     capture_output=True).returncode == 0:
            with open(os.path.join(folder, "numpy"), "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\nexec {python} "$@"\n')
            os.chmod(os.path.join(folder, "numpy"), 0o755)
            break
    return folder


def shell(command, folder, environment, stdin=b""):
    return subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment, input=stdin,
                          capture_output=True, timeout=TIMEOUT)


def matches(pattern, text):
    literal = re.sub(r"([\[?])", r"[\1]", pattern)
    return fnmatch.fnmatchcase(text, literal)


def show(data):
    text = data.decode("utf-8", "backslashreplace")
    return "".join("    |" + line + "\n" for line in text.splitlines()[:40]) or "    (nothing)\n"


def check(step, folder, environment):
    """What is wrong with a step, as text; empty where nothing is."""
    try:
        done = shell(step.command, folder, environment, step.stdin)
    except subprocess.TimeoutExpired:
        return f"  $ {step.command}\n  still running after {TIMEOUT} s\n"
    wrong, expected = "", step.stdout
    if step.stdout_file:
        with open(os.path.join(folder, step.stdout_file), "rb") as file:
            expected = file.read()
    if done.returncode != step.status:
        wrong += f"  exit status {done.returncode}, not {step.status}\n"
    if done.stdout != expected:
        wrong += "  standard output:\n" + show(done.stdout) + "  expected:\n" + show(expected)
    lines = done.stderr.decode("utf-8", "backslashreplace").splitlines()
    if len(lines) != len(step.stderr) or not all(map(matches, step.stderr, lines)):
        wrong += "  standard error:\n" + show(done.stderr)
        wrong += "  expected:\n" + show("\n".join(step.stderr).encode())
    return f"  $ {step.command}\n" + wrong if wrong else ""


def run(case, path):
    """None where the case was skipped, otherwise what is wrong with it."""
    folder = tempfile.mkdtemp(prefix="lexmill-cli.")
    try:
        os.symlink(os.path.join(SOURCE, "testdata"), os.path.join(folder, "testdata"))
        environment = dict(os.environ, LC_ALL="C", HOME=folder, TMPDIR=folder, PATH=path,
                           CLI=os.path.dirname(os.path.abspath(__file__)))
        for condition in case.conditions:
            if shell(condition, folder, environment).returncode != 0:
                return None
        for step in case.steps:
            wrong = check(step, folder, environment)
            if wrong:
                return wrong
        return ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("tables", nargs="+")
    options = parser.parse_args()
    tools = find_numpy()
    path = os.pathsep.join([os.path.abspath(options.build), tools, os.environ["PATH"]])
    cases = [case for table in options.tables for case in parse(table)
             if options.only in case.name]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        results = workers.map(lambda case: run(case, path), cases)
        for number, (case, wrong) in enumerate(zip(cases, results), 1):
            name = case.name.replace("#", "")
            if wrong is None:
                print(f"ok {number} - {name} # SKIP {case.conditions[0]}")
            elif wrong:
                failed += 1
                print(f"not ok {number} - {name}")
                print(f"{case.place}: {case.name}\n{wrong}", file=sys.stderr)
            else:
                print(f"ok {number} - {name}")
            sys.stdout.flush()
    shutil.rmtree(tools)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
