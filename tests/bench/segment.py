#!/usr/bin/env python3
"""Segmentation against a bare PCRE2 JIT loop with the same pattern: segment.py [OPTION]... FILE...

  --build DIR       the build directory (build); BUILD/tests/bench/bench_scan must be there
  --rounds N        medians of N (5)
  --preset NAME     this preset alone; may be repeated
  --threads-file F  a large file, on which two threads are timed against one

Each round times, one after another, the loop and the scanner in the library (bench_scan, which
compares their spans first), `wc -w`, and the program in binary and in text form, one thread, output
to /dev/null. Rates are MB of text a second, factors are against the loop.
"""
import argparse, os, re, statistics, subprocess, time

LINE = re.compile(r'(\S+) +(\S+) +pcre2 +(\d+) +wc +(\d+) .*best +(\d+)')


def timed(command):
    begin = time.perf_counter()
    with open(os.devnull, 'wb') as null:
        subprocess.run(command, check=True, stdout=null)
    return time.perf_counter() - begin


def median(values):
    return statistics.median(values)


def one(options, preset, path):
    """Medians of pcre2, wc, scanner, program -b and program in text form, in MB/s."""
    size = os.path.getsize(path) / 1e6
    tokenize = os.path.join(options.build, 'tokenize')
    rates = [[] for _ in range(5)]
    for _ in range(options.rounds):
        bench = subprocess.run([os.path.join(options.build, 'tests/bench/bench_scan'), '-p', preset,
                                '-r', '1', path], check=True, capture_output=True, text=True)
        found = LINE.search(bench.stdout)
        if not found:
            raise SystemExit(f'bench_scan said: {bench.stdout}{bench.stderr}')
        for i in range(3):
            rates[i].append(float(found[i + 3]))
        rates[3].append(size / timed([tokenize, '-j', '1', '-p', preset, '-b', path]))
        rates[4].append(size / timed([tokenize, '-j', '1', '-p', preset, path]))
    return [median(r) for r in rates]


def threads(options, preset, path):
    times = {1: [], 2: []}
    for _ in range(options.rounds):
        for n in times:
            times[n].append(timed([os.path.join(options.build, 'tokenize'), '-j', str(n), '-p',
                                   preset, '-b', path]))
    return median(times[1]) / median(times[2]), os.path.getsize(path) / 1e6 / median(times[2])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default='build')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--preset', action='append')
    parser.add_argument('--threads-file')
    parser.add_argument('files', nargs='*')
    options = parser.parse_args()
    presets = options.preset or ['words', 'book', 'whitespace', 'bert', 'gpt2', 'cl100k', 'o200k',
                                 'llama3', 'qwen2']
    print('MB/s, medians of', options.rounds)
    for path in options.files:
        print(f'\n{os.path.basename(path):12s} {"loop":>6s} {"wc -w":>6s} {"scanner":>15s}'
              f' {"tokenize -b":>15s} {"tokenize":>15s}')
        for preset in presets:
            loop, wc, *ours = one(options, preset, path)
            print(f'{preset:12s} {loop:6.0f} {wc:6.0f}' +
                  ''.join(f' {rate:7.0f} {rate / loop:6.1f}x' for rate in ours), flush=True)
    if options.threads_file:
        print()
        for preset in presets:
            ratio, rate = threads(options, preset, options.threads_file)
            print(f'{preset:12s} two threads: {rate:5.0f} MB/s, {ratio:.2f} times one', flush=True)


main()
