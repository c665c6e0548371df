#!/usr/bin/env python3
"""How fast embed writes vectors to disk, beside cp of the same bytes in the same run.

usage: embed_disk.py EMBED [MEGABYTES]      (in the current folder, which needs four times the room)

Every way is timed in turn, five rounds, and medians are printed: a machine that slows down slows
all of them. embed syncs what it writes under a name, which cp does not: those lines are to be held
against cp and sync. What goes to redirected standard output is synced by neither. Ratio: cp's time
by embed's.
"""
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

DIM = 768
TABLE_ROWS = 50257
ROUNDS = 5


def write_ids(path, rows):
    numbers = random.Random(1)
    with open(path, 'w') as file:
        for start in range(0, rows, 1000):
            count = min(1000, rows - start)
            file.write(' '.join(str(numbers.randrange(TABLE_ROWS)) for _ in range(count)) + '\n')


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)


def timed(command, output):
    remove(output)
    os.sync()
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def main():
    embed = os.path.abspath(sys.argv[1])
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 512
    rows = megabytes * 1000000 // (4 * DIM)
    with tempfile.TemporaryDirectory(dir='.') as folder:
        path = lambda name: os.path.join(folder, name)
        write_ids(path('ids'), rows)
        subprocess.run([embed, 'init', '--rows', str(TABLE_ROWS), '--dim', str(DIM), '-o',
                        path('table.npy')], check=True)
        subprocess.run([embed, '-t', path('table.npy'), '-o', path('vectors.npy'), path('ids')],
                       check=True)
        copy = ['cp', path('vectors.npy'), path('copy')]
        ways = {
            'cp': (copy, path('copy')),
            'cp and sync': (['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh'] + copy[1:],
                            path('copy')),
            'embed, a table, > file': (
                ['sh', '-c', '"$1" -t "$2" "$3" > "$4"', 'sh', embed, path('table.npy'),
                 path('ids'), path('ours')], path('ours')),
            'embed, a table, .npy': ([embed, '-t', path('table.npy'), '-o', path('made.npy'),
                                      path('ids')], path('made.npy')),
            'embed, a table, shards': ([embed, '-t', path('table.npy'), '-o', path('shards'),
                                        path('ids')], path('shards')),
            'embed, generated, .npy': ([embed, '--dim', str(DIM), '-o', path('made.npy'),
                                        path('ids')], path('made.npy')),
        }
        times = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                times[name].append(timed(*way))
                remove(way[1])
    size = rows * 4 * DIM
    median = {name: statistics.median(times[name]) for name in times}
    print(f'{size / 1e6:.0f} MB of vectors, {DIM} columns, medians of {ROUNDS}')
    for name in ways:
        line = f'{name:24} {median[name]:6.3f} s {size / median[name] / 1e6:8.0f} MB/s'
        if name.startswith('embed'):
            line += (f'   {median["cp"] / median[name]:5.2f} of cp'
                     f'   {median["cp and sync"] / median[name]:5.2f} of cp and sync')
        print(line)


main()
