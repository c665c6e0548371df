#!/usr/bin/env python3
"""Rates of each stage and of the chain, one thread and all: stages.py BUILD [FILE [ROUNDS]].

Without FILE it repeats the prose of testdata to 64 MB. Stages are timed one after another in each
round, so that noise meets all of them; medians are printed, in bytes of text a second. `wc -w` and
`cat` stand beside them for scale. Output goes to /dev/null or a pipe, as the line says.
"""
import os, statistics, subprocess, sys, tempfile, time

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
source = sys.argv[2] if len(sys.argv) > 2 else None
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
here = os.path.dirname(os.path.abspath(__file__))
os.environ['PATH'] = build + os.pathsep + os.environ['PATH']
os.environ['LC_ALL'] = 'C'


def make_text(path, size):
    folder = os.path.join(here, '..', '..', 'testdata')
    prose = b''.join(open(os.path.join(folder, n), 'rb').read()
                     for n in sorted(os.listdir(folder)) if n == 'birds.txt')
    with open(path, 'wb') as file:
        for _ in range(size // len(prose) + 1):
            file.write(prose)


def shell(command):
    subprocess.run(['sh', '-c', command], check=True, stderr=subprocess.DEVNULL)


def timed(command):
    begin = time.perf_counter()
    shell(command)
    return time.perf_counter() - begin


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    if source:
        os.symlink(os.path.abspath(os.path.join(os.environ.get('OLDPWD', '/'), source))
                   if not os.path.isabs(source) else source, 'text')
    else:
        make_text('text', 64 << 20)
    size = os.path.getsize('text')
    shell('tokenize text | idmap build -o words.vocab')
    shell('tokenize -b text -o tokens; tokenize text -o tokens.txt')
    shell('idmap -b -V words.vocab tokens -o ids; idmap -V words.vocab tokens -o ids.txt')
    lines = [
        ('cat text > /dev/null', 'cat text | cat > /dev/null'),
        ('wc -w text', 'wc -w text > /dev/null'),
        ('tokenize, text form', 'tokenize -j 1 text > /dev/null'),
        ('tokenize -b', 'tokenize -j 1 -b text > /dev/null'),
        ('tokenize -b, all threads', 'tokenize -b text > /dev/null'),
        ('idmap build, from -b', 'idmap build tokens > /dev/null'),
        ('idmap, text to text', 'idmap -j 1 -V words.vocab tokens.txt > /dev/null'),
        ('idmap -b, from -b', 'idmap -j 1 -b -V words.vocab tokens > /dev/null'),
        ('idmap decode, from -b', 'idmap decode -V words.vocab ids > /dev/null'),
        ('embed --dim 16, from -b', 'embed -j 1 --dim 16 -f npy ids > /dev/null'),
        ('tokenize -b | idmap -b', 'tokenize -b text | idmap -b -V words.vocab > /dev/null'),
        ('the chain, binary, dim 16',
         'tokenize -b text | idmap -b -V words.vocab | embed --dim 16 > /dev/null'),
        ('the chain, text, no options, dim 16', 'tokenize text | idmap | embed --dim 16 > /dev/null'),
    ]
    times = {name: [] for name, _ in lines}
    for _ in range(rounds):
        for name, command in lines:
            times[name].append(timed(command))
    print(f'{size / 1e6:.0f} MB of text, medians of {rounds}, MB of text a second')
    for name, _ in lines:
        print(f'{name:38s} {size / 1e6 / statistics.median(times[name]):8.0f}')
