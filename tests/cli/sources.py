"""tokenize and where its text comes from: compressed files, JSON Lines, lists of files.

usage: sources.py TOKENIZE with-archive|without-archive
"""
import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tempfile
import zlib

TOKENIZE, ARCHIVE = os.path.abspath(sys.argv[1]), sys.argv[2] == "with-archive"
TEXT = b"The wren sings.\nBrest, Bath, Bern.\n" * 40_000
failures = []


def run(*arguments, stdin=b""):
    done = subprocess.run([TOKENIZE, *arguments], input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def check(what, condition, shown=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {shown}")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def compressed_input():
    want = run(stdin=TEXT)[1]
    half = len(TEXT) // 2
    for name, compress in (("gzip", gzip.compress), ("xz", lzma.compress), ("bzip2", bz2.compress)):
        data = compress(TEXT[:half]) + compress(TEXT[half:])
        path = write("text." + name, data)
        for threads in ("1", "2"):
            check(f"{name} file", run("-j", threads, path)[:2] == (0, want))
            check(f"{name} pipe", run("-j", threads, stdin=data)[:2] == (0, want))
        status, _, message = run(write("cut", data[:-7]), "-o", "out")
        good = f"cut: the {name} data is cut short or damaged" in message
        check(f"cut {name}", status == 1 and good and not os.path.exists("out"), message)


def unsupported():
    status, _, message = run(stdin=gzip.compress(b"a"))
    check("no gzip", status == 1 and "gzip" in message and "libarchive" in message, message)


# a process inherits the peak of the one that starts it, so that a small one must start it
MEASURE = """
import os, sys
process = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def peak_memory(*arguments):
    """Runs tokenize; its status and its largest resident size in MiB."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, TOKENIZE, *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    status, kilobytes = done.stderr.splitlines()[-1].split()
    return int(status), int(kilobytes) / 1024


def bombs():
    block = gzip.compress((b" " * 99 + b"\n") * 167_772)
    for blocks, arguments in ((64, ("-d", "line")), (8, ("-p", "whitespace")), (8, ())):
        status, memory = peak_memory("-j", "1", *arguments, write("bomb.gz", block * blocks))
        check(f"{blocks} x 16 MiB of blanks, {arguments}", status == 0 and memory < 64,
              f"status {status}, {memory:.0f} MiB")
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(zeros.compress(bytes(1 << 24)) for _ in range(8)) + zeros.flush()
    status, memory = peak_memory("-j", "1", "-p", "whitespace", write("zeros.gz", data))
    check("128 MiB of zeros", status == 1 and memory < 96, f"status {status}, {memory:.0f} MiB")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    if ARCHIVE:
        compressed_input()
        bombs()
    else:
        unsupported()
    os.chdir("/")
sys.exit(1 if failures else 0)
