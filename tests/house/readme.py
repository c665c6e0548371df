#!/usr/bin/env python3
"""Keeps README.md true: its console blocks give what they show, its C program compiles against the
installed library, its Python reads the shards that its commands wrote.

usage: readme.py --build BUILD [--write]      --write puts what the commands give into README.md

A ```console block has commands, lines that begin with "$ ", and behind each what it prints. All run in
one scratch folder, in order, with the programs in the PATH and testdata/ in the folder. The ```c block
is example.c there.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
README = os.path.join(ROOT, "README.md")
state = {}


def fenced(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def install(build, folder):
    """Installs into a folder and returns an environment that finds what is there."""
    target = os.path.join(folder, "installed")
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", target],
                   check=True, capture_output=True)
    package = glob.glob(f"{target}/**/lexmill.pc", recursive=True)[0]
    with open(package, encoding="utf-8") as file:
        text = file.read()
    with open(package, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^prefix=", f"prefix={target}", text, flags=re.M))
    library = os.path.dirname(os.path.dirname(package))
    program = os.path.dirname(glob.glob(f"{target}/**/bin/tokenize", recursive=True)[0])
    return dict(os.environ, LC_ALL="C.UTF-8", PATH=program + os.pathsep + os.environ["PATH"],
                PKG_CONFIG_PATH=os.path.dirname(package), LD_LIBRARY_PATH=library)


def run(command, timeout=120):
    done = subprocess.run(["/bin/sh", "-c", command], cwd=state["folder"], env=state["environment"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    return done.returncode, done.stdout.decode("utf-8", "backslashreplace")


def transcript(block):
    """The block with what its commands give now."""
    lines = []
    for line in block.splitlines():
        if line.startswith("$ "):
            lines.append(line)
            lines += run(line[2:])[1].splitlines()
    return "\n".join(lines) + "\n"


def the_library_is_installed_with_headers_and_manual():
    target = os.path.join(state["folder"], "installed")
    names = ["**/bin/tokenize", "**/bin/idmap", "**/bin/embed", "**/include/lexmill/lexmill.h",
             "**/liblexmill.so.0", "**/liblexmill.a", "**/pkgconfig/lexmill.pc"]
    if shutil.which("scdoc"):
        names += ["**/man1/tokenize.1", "**/man1/idmap.1", "**/man1/embed.1"]
    return [name for name in names if not glob.glob(os.path.join(target, name), recursive=True)]


def finds():
    """Whether embed near works here: it needs OpenBLAS."""
    return "OpenBLAS" not in run("embed near")[1]


def compare_blocks(wanted):
    wrong = []
    for block in filter(wanted, fenced("console", state["text"])):
        got = transcript(block)
        if got != block:
            wrong += ["README.md has:", *block.splitlines(), "the commands give:", *got.splitlines()]
    return wrong


def console_blocks_give_what_they_show():
    return compare_blocks(lambda block: "embed near" not in block)


def console_blocks_that_find_neighbours_give_what_they_show():
    """there is no OpenBLAS"""
    return compare_blocks(lambda block: "embed near" in block) if finds() else None


def the_c_program_compiles_with_every_warning():
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "lexmill"], env=state["environment"],
                           capture_output=True, text=True, check=True).stdout
    command = f"cc -std=c11 -Wall -Wextra -Wpedantic -Werror example.c -o strict {flags}"
    status, output = run(command)
    return output.splitlines() or [command] if status else []


def the_c_program_links_to_the_static_library_by_pkg_config():
    """with what the library itself was built with, and no more"""
    flags = "$(pkg-config --static --cflags --libs lexmill | sed s/-llexmill/-l:liblexmill.a/)"
    status, output = run(f"cc example.c -o static {flags} && ./static")
    return output.splitlines() or ["it prints nothing"] if status or "crow" not in output else []


def find_python(module):
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import " + module], capture_output=True).returncode == 0:
            return python
    return None


def run_python(python, programs):
    wrong = []
    for program in programs:
        done = subprocess.run([python, "-c", program], cwd=state["folder"], capture_output=True, text=True)
        if done.returncode or not done.stdout or "False" in done.stdout:
            wrong += done.stderr.splitlines() or ["it prints: " + done.stdout]
    return wrong


def the_python_reads_the_shards():
    """there is no Python with NumPy"""
    python = find_python("numpy")
    blocks = [block for block in fenced("python", state["text"]) if "torch" not in block]
    return run_python(python, blocks) if python else None


def pytorch_reads_the_shards():
    """there is no Python with PyTorch"""
    python = find_python("torch, numpy")
    first, *others = fenced("python", state["text"])
    # what the first block defines is there for those with PyTorch
    return run_python(python, [first + block for block in others if "torch" in block]) if python else None


def two_commands_do_all_the_set_up():
    blocks = fenced("sh", state["text"])
    wrong = [] if len(blocks) == 2 else [f"{len(blocks)} sh blocks, not 2"]
    return wrong + [f"not one command: {block}" for block in blocks if block.count("\n") != 1]


def rewrite():
    text = re.sub(r"(?<=^```console\n)(.*?)(?=^```$)", lambda match: transcript(match.group()),
                  state["text"], flags=re.M | re.S)
    with open(README, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not os.path.exists(README):
        print("there is no README.md")
        return 77
    with open(README, encoding="utf-8") as file:
        state["text"] = file.read()
    state["folder"] = tempfile.mkdtemp(prefix="lexmill-readme.")
    try:
        state["environment"] = install(options.build, state["folder"])
        os.symlink(os.path.join(ROOT, "testdata"), os.path.join(state["folder"], "testdata"))
        for program in fenced("c", state["text"]):
            with open(os.path.join(state["folder"], "example.c"), "w", encoding="utf-8") as file:
                file.write(program)
        if options.write:
            rewrite()
            return 0
        return tap.run([two_commands_do_all_the_set_up, the_library_is_installed_with_headers_and_manual,
                        console_blocks_give_what_they_show,
                        console_blocks_that_find_neighbours_give_what_they_show, the_c_program_compiles_with_every_warning,
                        the_c_program_links_to_the_static_library_by_pkg_config, the_python_reads_the_shards, pytorch_reads_the_shards])
    finally:
        shutil.rmtree(state["folder"], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
