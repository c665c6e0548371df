#!/usr/bin/env python3
"""Compares what embed near found with NumPy, in double precision. usage: nearest.py FOUND TABLE QUERIES

The name of FOUND is the metric.
"""
import sys

import numpy as np

found, table, queries = sys.argv[1], *(np.load(path).astype("f8") for path in sys.argv[2:])
if found == "cosine":
    table, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (table, queries))
scores = queries @ table.T
with open(found, encoding="utf-8") as file:
    rows = [line.split("\t") for line in file]
ids = np.array([int(row[2]) for row in rows]).reshape(len(queries), -1)
ours = np.array([float(row[3]) for row in rows]).reshape(ids.shape)
best = np.argsort(-scores, axis=1, kind="stable")[:, :ids.shape[1]]
same = (ids == best).all() and np.allclose(ours, np.take_along_axis(scores, best, 1), 1e-6, 1e-7)
print(f"{len(queries)} queries, {ids.shape[1]} neighbours: {'the same' if same else 'others'}")
