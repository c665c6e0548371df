#!/usr/bin/env python3
"""Lines of text to pooled vectors beside Model2Vec, one thread: pooled.py [OPTION]... MODEL FILE...

  --build DIR       the build directory (build); BUILD/tests/bench/bench_pooled must be there
  --python PROGRAM  a Python with model2vec; without it an environment with the one of PyPI is made
                    in BUILD/peers-pooled, once
  --lines N         of each file (100,000)
  --rounds N        medians of N (5), the two taking turns

Processor time, so that a machine that isn't quiet does less harm. Each round is a process of its own
for each, which loads the model, then embeds all lines twice: cold, then warm. The vectors of both are
compared first. Exit status 77 where MODEL isn't there.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

PEER = """
import sys, time
from model2vec import StaticModel
model = StaticModel.from_pretrained(sys.argv[1])
with open(sys.argv[2], encoding="utf-8", newline="\\n") as file:
    lines = file.read().split("\\n")[:-1]
times = []
for _ in range(2):
    begin = time.process_time()
    vectors = model.encode(lines, use_multiprocessing=False)
    times.append(time.process_time() - begin)
if sys.argv[3] != "-":
    vectors.astype("<f4").tofile(sys.argv[3])
print(*times)
"""

COMPARE = """
import sys, numpy
a, b = (numpy.fromfile(path, "<f4") for path in sys.argv[1:])
print(abs(a - b).max() if a.size == b.size and a.size else "of other sizes")
"""


def python_with_model2vec(build):
    folder = os.path.join(build, "peers-pooled")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "model2vec"], check=True)
    return python


def run(*command):
    environment = dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false",
                       OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def first_lines(path, count, folder):
    """The lines as a file of whole, valid UTF-8 without carriage returns."""
    cut = os.path.join(folder, "lines.txt")
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file, \
            open(cut, "w", encoding="utf-8", newline="\n") as out:
        for _, line in zip(range(count), file):
            out.write(line.rstrip("\r\n") + "\n")
    return cut


def compare(o, path):
    with tempfile.TemporaryDirectory() as folder:
        lines = first_lines(path, o.lines, folder)
        program = os.path.join(o.build, "tests/bench/bench_pooled")
        vectors = [os.path.join(folder, name) for name in ("ours", "theirs")]
        ways = [lambda out: run(program, o.model, lines, "2", out),
                lambda out: run(o.python, "-c", PEER, o.model, lines, out)]
        for way, out in zip(ways, vectors):
            way(out)
        print(f"{os.path.basename(path)}: the vectors differ by at most",
              run(o.python, "-c", COMPARE, *vectors).strip())
        rounds = [[[float(t) for t in way("-").split()] for way in ways] for _ in range(o.rounds)]
        with open(lines, "rb") as file:
            count = sum(1 for _ in file)
        for i, name in enumerate(("cold", "warm")):
            ours, theirs = (statistics.median(r[who][i] for r in rounds) for who in (0, 1))
            print(f"  {name}: lexmill {ours:.4f} s ({count / ours:,.0f} lines/s), Model2Vec {theirs:.4f} s"
                  f" ({count / theirs:,.0f} lines/s): {theirs / ours:.1f}x", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--python")
    parser.add_argument("--lines", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    o = parser.parse_args()
    if not os.path.isdir(o.model):
        print("skipped: there is no", o.model)
        return 77
    o.python = o.python or python_with_model2vec(o.build)
    for path in o.files:
        compare(o, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
