#!/usr/bin/env python3
"""How fast embed near finds the nearest rows, beside NumPy's matrix product and argpartition.

usage: near.py EMBED [ROWS [QUERIES [DIM]]]      (in the current folder: ROWS x DIM x 4 bytes)

NumPy works in this process, on arrays that are in memory, 100 queries at a time; embed is timed from
its start to its end, and writes what it finds. Both have as many threads as OPENBLAS_NUM_THREADS says,
or as there are processors. Before anything is timed the ids must be the same, but where two scores are
too near for single precision. Every way is timed in turn, five rounds, and medians are printed: of the
time, and of the processor time, which is what counts on a machine that is busy.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

K = 10
ROUNDS = 5
CHUNK = 100


def write(path, rows, dim, seed):
    """Of length 1, so that the dot product is the cosine."""
    generator = np.random.default_rng(seed)
    array = np.lib.format.open_memmap(path, 'w+', '<f4', (rows, dim))
    for start in range(0, rows, 100000):
        some = generator.standard_normal((min(100000, rows - start), dim), dtype='f4')
        array[start:start + len(some)] = some / np.linalg.norm(some, axis=1, keepdims=True)
    array.flush()


def numpy_near(table, queries):
    """Ids of the K nearest, the nearest first."""
    found = []
    for start in range(0, len(queries), CHUNK):
        scores = queries[start:start + CHUNK] @ table.T
        best = np.argpartition(scores, scores.shape[1] - K, axis=1)[:, -K:]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind='stable')
        found.append(np.take_along_axis(best, order, 1))
    return np.concatenate(found)


def read_ids(path, queries):
    with open(path) as file:
        return np.array([line.split('\t')[2] for line in file], 'i8').reshape(queries, K)


def check(table, queries, ours, theirs):
    """Where ids differ the exact scores must be as good as equal."""
    for query in np.nonzero((ours != theirs).any(axis=1))[0]:
        vector = queries[query].astype('f8')
        a, b = (table[ids[query]].astype('f8') @ vector for ids in (ours, theirs))
        if np.abs(a - b).max() > 1e-6:
            sys.exit(f'query {query}: embed found {ours[query]}, NumPy {theirs[query]}')


def processor(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def timed(way):
    begin, ours, theirs = time.perf_counter(), processor(resource.RUSAGE_SELF), processor(
        resource.RUSAGE_CHILDREN)
    way()
    return (time.perf_counter() - begin,
            processor(resource.RUSAGE_SELF) - ours + processor(resource.RUSAGE_CHILDREN) - theirs)


def blas():
    """The BLAS that NumPy multiplies with, as far as the process tells."""
    with open('/proc/self/maps') as file:
        names = {line.split()[-1] for line in file if 'blas' in line.lower() and '/' in line}
    names = {os.path.basename(os.path.realpath(name)) for name in names}
    return ', '.join(sorted(name for name in names if name.startswith('lib'))) or 'its own'


def main():
    embed = os.path.abspath(sys.argv[1])
    rows, count, dim = (int(sys.argv[i]) if len(sys.argv) > i else default
                        for i, default in ((2, 1000000), (3, 1000), (4, 256)))
    threads = int(os.environ.get('OPENBLAS_NUM_THREADS', os.cpu_count() or 1))
    with tempfile.TemporaryDirectory(dir='.') as folder:
        path = lambda name: os.path.join(folder, name)
        write(path('table.npy'), rows, dim, 1)
        write(path('queries.npy'), count, dim, 2)
        table, queries = np.load(path('table.npy')), np.load(path('queries.npy'))
        command = [embed, 'near', '-t', path('table.npy'), '--queries', path('queries.npy'), '-k',
                   str(K), '--metric', 'dot', '-j', str(threads), '-o', path('found')]
        ways = {'numpy': lambda: numpy_near(table, queries),
                'embed near': lambda: subprocess.run(command, check=True)}
        ways['embed near']()
        check(table, queries, read_ids(path('found'), count), numpy_near(table, queries))
        times = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                times[name].append(timed(way))
    print(f'{count} queries, {rows} rows, {dim} columns, k {K}, {threads} threads, medians of '
          f'{ROUNDS}; NumPy {np.__version__}, {blas()}')
    wall, used = ({name: statistics.median(t[i] for t in times[name]) for name in ways}
                  for i in (0, 1))
    for name in ways:
        print(f'{name:12} {wall[name]:7.2f} s, {wall["numpy"] / wall[name]:5.2f}x; '
              f'{used[name]:7.2f} s of processor time, {used["numpy"] / used[name]:5.2f}x')


main()
