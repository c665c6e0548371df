"""Promise 3: no document is held in memory. One document of any size takes 64 MiB at any number of
threads, from a pipe and from a file, whatever the preset and the normalisation.

usage: memory.py TOKENIZE SIZE ALLOWED      both in MiB
"""
import glob
import os
import subprocess
import sys
import tempfile

import peak

TOKENIZE, SIZE, ALLOWED = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
TESTDATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata")
OPTIONS = (("-p", "gpt2"), ("-p", "bert", "--lowercase", "--strip-marks"),
           ("-n", "nfkc", "--casefold", "-b", "--offsets"))
# writes a piece again and again; ends quietly where nobody reads on
FEED = """
import sys
piece = open(sys.argv[1], "rb").read()
for i in range(int(sys.argv[2])):
    sys.stdout.buffer.write(piece)
"""


def make_piece():
    """A mebibyte of every language there is."""
    texts = [open(path, "rb").read() for path in sorted(glob.glob(os.path.join(TESTDATA, "*.txt")))]
    text = b" ".join(texts)
    return text * (2**20 // len(text) + 1)


def from_a_pipe(arguments, piece):
    count = SIZE * 2**20 // os.path.getsize(piece)
    feed = subprocess.Popen([sys.executable, "-S", "-c", FEED, piece, str(count)],
                            stdout=subprocess.PIPE)
    result = peak.run(TOKENIZE, *arguments, stdin=feed.stdout)
    feed.stdout.close()
    return *result, feed.wait()


def check(what, status, messages, memory, fed=0):
    good = status == 0 and fed == 0 and memory < ALLOWED
    print(f"{what}: {memory:.1f} MiB{'' if good else f': FAILED: status {status}, {messages}'}",
          flush=True)
    return good


def main():
    good = True
    with tempfile.TemporaryDirectory() as folder:
        piece, large = os.path.join(folder, "piece"), os.path.join(folder, "large")
        data = make_piece()
        with open(piece, "wb") as file:
            file.write(data)
        with open(large, "wb") as file:
            for _ in range(min(SIZE, 1024) * 2**20 // len(data)):
                file.write(data)
        for options in OPTIONS:
            for threads in ("1", "2", "8"):
                arguments = (*options, "-j", threads)
                good &= check(" ".join(arguments) + ", a pipe", *from_a_pipe(arguments, piece))
            good &= check(" ".join(arguments) + ", a file", *peak.run(TOKENIZE, *arguments, large))
        arguments = ("-f", "jsonl", "--offsets")  # which come behind all tokens of the document
        good &= check(" ".join(arguments), *from_a_pipe(arguments, piece))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
