#!/usr/bin/env python3
"""What embed writes, read by NumPy, PyTorch, safetensors and gensim, each where it is installed.

usage: tables.py EMBED        LEXMILL_PYTHON names another Python to look for them in
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLES = os.path.join(ROOT, "testdata", "tables")
PYTHONS = [os.environ.get("LEXMILL_PYTHON"), sys.executable, "/usr/bin/python3"]
EMBED = os.path.abspath(sys.argv[1])

# the same rows as in testdata/tables, by its rule
ROWS = """
import numpy
WORDS = ["</s>", "the", "naïve", "鳥", "3.5"]
WANT = numpy.array([[((row * 7 + column * 11) % 41 - 20) / 8 for column in range(3)] for row in range(5)], "<f4")
"""

NUMPY = ROWS + """
for name in ("made.npy", "made-f16.npy"):
    assert (numpy.load(name) == WANT).all(), name
"""

TORCH = ROWS + """
import json, torch
with open("made-bf16.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    data = bytearray(file.read())
tensor = torch.frombuffer(data, dtype=torch.bfloat16).reshape(header["embeddings"]["shape"])
assert (tensor.float().numpy() == WANT).all()
layer = torch.nn.Embedding.from_pretrained(torch.from_numpy(numpy.load("made.npy")))
assert (layer(torch.arange(5)).numpy() == WANT).all()
"""

SAFETENSORS = ROWS + """
import safetensors
from safetensors.numpy import load_file
for name in ("made.safetensors", "made-f16.safetensors"):
    assert (load_file(name)["embeddings"] == WANT).all(), name
made = load_file("made-i8.safetensors")
assert (abs(made["embeddings"] * made["scales"][:, None] - WANT) <= made["scales"][:, None] / 2).all()
with open("made-bf16.safetensors", "rb") as file:
    name, tensor = safetensors.deserialize(file.read())[0]
bits = numpy.frombuffer(tensor["data"], "<u2").astype("<u4") << 16
assert (bits.view("<f4").reshape(5, 3) == WANT).all()
with safetensors.safe_open("made.safetensors", "numpy") as file:
    assert len(file.metadata()["lexmill.fingerprint"]) == 16
state = load_file("state.safetensors")
assert state["exp_avg"].shape == (10, 17) and list(state["step"]) == [3]
"""

GENSIM = ROWS + """
from gensim.models import KeyedVectors
for name, how in (("made.bin", {"binary": True}), ("made.vec", {}), ("made.txt", {"no_header": True})):
    vectors = KeyedVectors.load_word2vec_format(name, **how)
    assert vectors.index_to_key == WORDS and (vectors.vectors == WANT).all(), name
"""


def find(modules):
    """A Python that has them all, or None."""
    for python in PYTHONS:
        command = [python, "-c", "import " + modules]
        if python and os.path.exists(python) and subprocess.run(command, capture_output=True).returncode == 0:
            return python
    return None


def embed(*arguments):
    subprocess.run([EMBED, *arguments], check=True)


def make():
    source = os.path.join(TABLES, "word2vec.bin")
    for name, dtype in (("made.npy", "f32"), ("made-f16.npy", "f16"), ("made.safetensors", "f32"),
                        ("made-f16.safetensors", "f16"), ("made-bf16.safetensors", "bf16"),
                        ("made-i8.safetensors", "i8"), ("made.bin", "f32"), ("made.vec", "f32"),
                        ("made.txt", "f32")):
        embed("convert", source, "--dtype", dtype, "-o", name)
    layer = os.path.join(ROOT, "testdata", "layer")
    embed("update", "-t", os.path.join(layer, "table.npy"), "--optimizer", "adam", "--state", "state.safetensors",
          *(os.path.join(layer, f"gradients-{step}.safetensors") for step in range(3)), "-o", "learnt.npy")


def same(path, other):
    with open(path, "rb") as a, open(os.path.join(TABLES, other), "rb") as b:
        return a.read() == b.read()


def main():
    failed, number = 0, 0
    readers = [("NumPy", "numpy", NUMPY), ("PyTorch", "torch, numpy", TORCH),
               ("safetensors", "safetensors, numpy", SAFETENSORS), ("gensim", "gensim", GENSIM)]
    files = [("made.npy", "numpy.npy"), ("made-f16.npy", "numpy-f16.npy"), ("made.bin", "word2vec.bin")]
    print(f"1..{len(readers) + len(files)}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make()
        for path, other in files:
            number += 1
            good = same(path, other)
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - the bytes of {re.sub('[.].*', '', other)}")
        for name, modules, program in readers:
            number += 1
            python = find(modules)
            if not python:
                print(f"ok {number} - {name} reads it # SKIP {name} isn't there")
                continue
            done = subprocess.run([python, "-c", program], capture_output=True, text=True)
            failed += done.returncode != 0
            print(f"{'not ok' if done.returncode else 'ok'} {number} - {name} reads it")
            sys.stderr.write(done.stderr)
        os.chdir(ROOT)
    return failed > 0


sys.exit(main())
