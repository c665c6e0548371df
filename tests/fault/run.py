#!/usr/bin/env python3
"""Each call of a program failed in turn, over small data.

What must hold: with short counts and EINTR nothing changes. With any other error a run either ends as if
nothing had happened (what failed didn't matter), or with status 1, one line on standard error, all files
as they were and none beside them. No run crashes or hangs.

usage: run.py --build BUILD --shim SHIM.so [--only WORDS]      Output is TAP, for meson.
"""
import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
build = shim = ""
IDS = "0 1 2 3 4 5 6 7 8 9\n" * 300

# name, arguments, standard input; the folder has: text, tokens, tokens.bin, ids, ids.bin, vocab,
# table.npy, table.safetensors, and "out", "old.npy", ... with the word "old" in them
SCENARIOS = [
    ("tokenize", ["tokenize", "-o", "out", "text", "text"]),
    ("tokenize to standard output", ["tokenize", "-b", "-d", "line", "-n", "nfc", "text"]),
    ("tokenize jsonl", ["tokenize", "-f", "jsonl", "--offsets", "-o", "new", "text"]),
    ("tokenize on threads", ["tokenize", "-j", "3", "-d", "line", "-o", "out", "text"]),
    ("idmap", ["idmap", "-V", "vocab", "-b", "-o", "out", "tokens.bin"]),
    ("idmap that grows", ["idmap", "--save", "new", "-o", "out", "tokens"]),
    ("idmap build", ["idmap", "build", "--unk", "<unk>", "-o", "out", "tokens", "tokens.bin"]),
    ("idmap build that spills", ["idmap", "build", "--memory", "64K", "-o", "out", "many"]),
    ("idmap decode", ["idmap", "decode", "-V", "vocab", "-o", "out", "ids.bin"]),
    ("embed npy", ["embed", "-t", "table.npy", "-o", "old.npy", "ids"]),
    ("embed to standard output", ["embed", "-t", "table.safetensors", "--batch", "64", "ids"]),
    ("embed safetensors", ["embed", "-t", "table.safetensors", "--context", "8", "--targets",
                           "--pad", "0", "-o", "old.safetensors", "ids.bin"]),
    ("embed shards", ["embed", "--dim", "4", "--context", "8", "--shard-size", "20K", "--batch", "16",
                      "-o", "shards", "ids"]),
    ("shards of ids", ["idmap", "-V", "vocab", "--to", "megatron", "--eot", "1", "--shard-size", "200",
                       "-o", "shards", "tokens.bin"]),
    ("shards of ids from text", ["lexmill", "-V", "vocab", "--to", "safetensors", "-d", "line", "--no-eot",
                                 "--shard-size", "300", "-o", "shards", "text"]),
    ("shards of ids from ids", ["idmap", "--ids", "--to", "npy", "--no-eot", "-o", "shards", "ids"]),
    ("embed text", ["embed", "--dim", "4", "--init", "uniform", "-f", "text", "-o", "out", "ids"]),
    ("embed update", ["embed", "update", "-t", "table.npy", "--optimizer", "adam", "--ids", "ids", "-o", "old.npy",
                      "gradients.npy"]),
    ("embed init", ["embed", "init", "--rows", "200", "--dim", "8", "-o", "old.npy"]),
]

HARMLESS = {"read": ["EINTR", "short"], "pread": ["EINTR", "short"], "write": ["EINTR", "short"],
            "pwrite": ["EINTR", "short"]}
HARD = {"read": ["EIO"], "pread": ["EIO"], "write": ["EIO", "ENOSPC"], "pwrite": ["EIO", "ENOSPC"],
        "open": ["EMFILE", "EOPNOTSUPP"], "close": ["EIO"], "fsync": ["EIO"], "ftruncate": ["EIO"],
        "fallocate": ["ENOSPC"], "mmap": ["ENOMEM"], "rename": ["EACCES"], "linkat": ["EACCES"],
        "thread": ["EAGAIN"], "malloc": ["ENOMEM", "on"]}


def program(arguments):
    return [os.path.join(build, arguments[0])] + arguments[1:]


def prepare(folder):
    def run(arguments, output, data=b""):
        done = subprocess.run(program(arguments), cwd=folder, input=data, capture_output=True,
                              check=True)
        if output:
            write(output, done.stdout)

    def write(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

    texts = b""
    for name in ("birds.txt", "german.txt", "hindi.txt", "emoji.txt"):
        with open(os.path.join(ROOT, "testdata", name), "rb") as file:
            texts += file.read()
    write("text", texts)
    run(["tokenize", "text"], "tokens")
    run(["tokenize", "-b", "text"], "tokens.bin")
    run(["idmap", "build", "-o", "vocab", "tokens"], None)
    run(["idmap", "-V", "vocab", "-b", "tokens"], "ids.bin")
    write("ids", IDS.encode())
    write("many", "".join(f"t{i * 7919 % 5000}\n" for i in range(8000)).encode())
    run(["embed", "init", "--rows", "1000", "--dim", "4", "-o", "table.npy"], None)
    run(["embed", "init", "--rows", "1000", "--dim", "4", "-o", "table.safetensors"], None)
    run(["embed", "--dim", "4", "-o", "gradients.npy", "ids"], None)
    for name in ("out", "old.npy", "old.safetensors"):
        write(name, b"old")


def snapshot(folder):
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                found[os.path.relpath(full, folder)] = file.read()
        found[os.path.relpath(path, folder) + "/"] = b""
    return found


class Result:
    def __init__(self, done, files, calls):
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr.decode(errors="replace")
        self.files, self.calls = files, calls


def run(template, arguments, fault):
    """Runs a scenario in a copy of the folder."""
    scratch = tempfile.mkdtemp(prefix="lexmill-fault.", dir=os.path.dirname(template))
    try:
        folder, report = os.path.join(scratch, "folder"), os.path.join(scratch, "report")
        shutil.copytree(template, folder)
        environment = dict(os.environ, LC_ALL="C", TMPDIR=folder, LD_PRELOAD=shim,
                           LEXMILL_FAULT=fault, LEXMILL_FAULT_REPORT=report)
        done = subprocess.run(program(arguments), cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, env=environment, timeout=60)
        calls = 0
        if os.path.exists(report):
            with open(report, encoding="ascii") as file:
                calls = int(file.read())
        return Result(done, snapshot(folder), calls)
    finally:
        shutil.rmtree(scratch)


def same(result, good):
    return result.status == 0 and result.stdout == good.stdout and result.files == good.files \
        and result.stderr == good.stderr


def judge(call, harmless, arguments, result, good, before):
    """What is wrong with a run, or nothing."""
    if same(result, good):
        return ""
    if harmless:
        return f"status {result.status}, or another output: {result.stderr.strip()}"
    if result.status != 1:
        return f"status {result.status}: {result.stderr.strip()}" if result.status else "another output"
    lines = result.stderr.splitlines()
    if len(lines) != 1 or not lines[0].startswith(arguments[0] + ": "):
        return f"not one line on standard error: {result.stderr!r}"
    if result.files == before:
        return ""
    # a vocabulary that was saved stays: it is whole, and its ids can be made again
    if "--save" in arguments and result.files == dict(before, new=good.files["new"]):
        return ""
    # the folder's own sync is the one thing that can fail when the new file is in its place
    if call == "fsync" and all(name in good.files and good.files[name] == data or before.get(name) == data
                               for name, data in result.files.items()):
        return ""
    changed = sorted(name for name in set(before) | set(result.files)
                     if before.get(name) != result.files.get(name))
    return f"a failed run left its traces: {', '.join(changed)}"


def numbers(calls):
    """Which calls fail: all of a few; of many the first, the last and some between."""
    if calls <= 60:
        return range(1, calls + 1)
    step = max(1, (calls - 50) // 60)
    return sorted(set(range(1, 31)) | set(range(31, calls - 20, step)) | set(range(calls - 19, calls + 1)))


def check(template, before, arguments, call, workers):
    """Fails each call of one kind in turn: how many runs, and what was wrong."""
    good = run(template, arguments, f"{call}:0:none")
    if good.status != 0:
        return 0, [f"status {good.status} without a fault: {good.stderr}"]
    if call == "malloc" and not good.calls:
        return 0, ["the shim doesn't see the program's calls"]
    jobs = []
    for what in HARMLESS.get(call, []) + HARD.get(call, []):
        harmless = what in HARMLESS.get(call, [])
        for n in [1] if what == "short" and good.calls else numbers(good.calls):
            jobs.append((f"{call}:{n}:{what}", harmless))

    def one(job):
        fault, harmless = job
        try:
            wrong = judge(call, harmless, arguments, run(template, arguments, fault), good, before)
        except subprocess.TimeoutExpired:
            wrong = "still running after 60 s"
        return f"{fault}: {wrong}" if wrong else ""
    return len(jobs), [wrong for wrong in workers.map(one, jobs) if wrong]


def main():
    global build, shim
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build, shim = os.path.abspath(options.build), os.path.abspath(options.shim)
    chosen = [scenario for scenario in SCENARIOS if options.only in scenario[0]]
    print(f"1..{len(chosen)}", flush=True)
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    base, failed = tempfile.mkdtemp(prefix="lexmill-fault.", dir=where), 0
    workers = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        template = os.path.join(base, "template")
        os.mkdir(template)
        prepare(template)
        before = snapshot(template)
        for number, (name, arguments) in enumerate(chosen, 1):
            runs, wrong = 0, []
            for call in HARD:
                more, found = check(template, before, arguments, call, workers)
                runs, wrong = runs + more, wrong + found
            failed += bool(wrong)
            print(f"{'not ' if wrong else ''}ok {number} - {name}: {runs} faults", flush=True)
            if wrong:
                print(f"{name}: {' '.join(arguments)}\n  " + "\n  ".join(wrong[:20]), file=sys.stderr)
    finally:
        workers.shutdown()
        shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
