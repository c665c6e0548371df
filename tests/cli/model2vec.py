#!/usr/bin/env python3
"""A model that others made, where it lies beside the source: the vectors that came with it.

usage: model2vec.py LEXMILL FOLDER      exit status 77 where there is no such folder
"""
import json
import os
import subprocess
import sys

lexmill, data = sys.argv[1:3]
model = os.path.join(data, "test-model-float32")
if not os.path.isdir(model):
    print("skipped: there is no", model)
    sys.exit(77)


def expected(name):
    with open(os.path.join(data, name), encoding="utf-8") as file:
        return json.load(file)


def embed(text, *options):
    done = subprocess.run([lexmill, "-m", model, "-f", "text", *options], input=text.encode(),
                          capture_output=True, check=True)
    return [[float(number) for number in line.split()] for line in done.stdout.splitlines()]


def near(name, got, wanted):
    far = max(abs(a - b) for g, w in zip(got, wanted) for a, b in zip(g, w))
    good = len(got) == len(wanted) and far <= 1e-5
    print("ok" if good else "not ok", name, far)
    return good


short, long = expected("embeddings_short.json"), expected("embeddings_long.json")
good = [near("a line", embed("hello world\n", "-d", "line"), short),
        near("a whole file", embed("hello world\n"), short),
        near("more than the maximum", embed("hello " * 1000), long),
        near("two lines", embed("hello world\n" + "hello " * 1000 + "\n", "-d", "line"), short + long),
        near("nothing", embed(""), [[0.0, 0.0]])]
sys.exit(0 if all(good) else 1)
