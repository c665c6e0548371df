"""The NEON scanners, compiled by a cross compiler and run in an emulator; skipped where one of them
is missing (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user).

usage: neon.py SOURCE
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
FILES = [*glob.glob(f"{SOURCE}/src/tokenize/scan/*.c"), f"{SOURCE}/src/tokenize/unicode_table.c",
         f"{SOURCE}/src/base/cpu.c", f"{SOURCE}/src/base/utf8.c", f"{SOURCE}/src/base/utf8_avx2.c",
         f"{SOURCE}/tests/cross/variants.c"]


def main():
    compiler = shutil.which("aarch64-linux-gnu-gcc")
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if not compiler or not emulator:
        print("there is no aarch64-linux-gnu-gcc or no qemu-aarch64")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "variants")
        subprocess.run([compiler, "-static", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
                        f"-I{SOURCE}/src", f"-I{SOURCE}/include", *FILES, "-o", program], check=True)
        return subprocess.run([emulator, program, "3000"]).returncode


if __name__ == "__main__":
    sys.exit(main())
