"""Compressed input that grows or ends early: bounded memory, a named error, for every format.

usage: bombs.py TOKENIZE ALLOWED      ALLOWED: MiB
"""
import bz2
import gzip
import lzma
import os
import sys
import tempfile

import peak

TOKENIZE, ALLOWED = os.path.abspath(sys.argv[1]), int(sys.argv[2])
MIB = 1 << 20
BLANKS = (b" " * 127 + b"\n") * (16 * MIB // 128)
failures = []


def check(what, condition, shown=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {shown}")


def zstd_frame(byte, size):
    """Of one byte only, in blocks that say so: 4 bytes for 128 KiB."""
    frame = bytes.fromhex("28b52ffd") + b"\x00" + b"\x38"  # no checksum; a window of 128 KiB
    for at in range(0, size, 128 << 10):
        n = min(128 << 10, size - at)
        frame += (n << 3 | 1 << 1 | (at + n >= size)).to_bytes(3, "little") + byte
    return frame


def lz4_frame(byte, size):
    """A literal and one long match in each block of 4 MiB: 255 for one."""
    frame = bytes.fromhex("04224d18" "607073")
    for at in range(0, size, 4 << 20):
        n = min(4 << 20, size - at)
        # the last five bytes of a block are literals
        more, rest = divmod(n - 6 - 4 - 15, 255)
        block = b"\x1f" + byte + b"\x01\x00" + b"\xff" * more + bytes([rest]) + b"\x50" + byte * 5
        frame += len(block).to_bytes(4, "little") + block
    return frame + bytes(4)


def repeated(member):
    """Members one behind the other, each of 16 MiB."""
    return lambda size: member * (size // (16 * MIB))


FORMATS = {
    "gzip": repeated(gzip.compress(BLANKS)),
    "bzip2": repeated(bz2.compress(BLANKS)),
    "xz": repeated(lzma.compress(BLANKS)),
    "zstd": repeated(zstd_frame(b"\n", 16 * MIB)),
    "lz4": repeated(lz4_frame(b"\n", 16 * MIB)),
}


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def what_grows_takes_bounded_memory(name, make):
    for size, arguments in ((128, ("-d", "line")), (64, ("-p", "whitespace")), (64, ("-j", "2"))):
        path = write("bomb", make(size * MIB))
        status, messages, memory = peak.run(TOKENIZE, *arguments, path)
        check(f"{name}: {size} MiB of blanks, {arguments}", status == 0 and memory < ALLOWED,
              f"status {status}, {memory:.0f} MiB, {messages}")
    # as one token: stopped by its limit, far from the end
    path = write("bomb", make(64 * MIB))
    status, messages, memory = peak.run(TOKENIZE, "-e", r"(?s)\s+", "--max-token", "1M", path)
    check(f"{name}: 64 MiB as one token", status == 1 and memory < ALLOWED
          and "bomb: byte 0: a token of more than 1048576 bytes" in messages,
          f"status {status}, {memory:.0f} MiB, {messages}")


def what_is_cut_is_an_error_by_name(name, make):
    data = make(32 * MIB)
    for cut in (len(data) - 1, len(data) - 7, len(data) * 3 // 4, len(data) // 4):
        path = write("cut", data[:cut])
        status, messages, memory = peak.run(TOKENIZE, "-p", "whitespace", "-o", "out", path)
        check(f"{name}, cut to {cut} of {len(data)}",
              status == 1 and f"cut: the {name} data is cut short or damaged" in messages
              and memory < ALLOWED and not os.path.exists("out"), f"status {status}, {messages}")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for format_name, function in FORMATS.items():
        what_grows_takes_bounded_memory(format_name, function)
        what_is_cut_is_an_error_by_name(format_name, function)
    os.chdir("/")
sys.exit(1 if failures else 0)
