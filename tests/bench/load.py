#!/usr/bin/env python3
"""How long a vocabulary takes to be ready, from the file on: load.py [OPTION]... FILE.tiktoken

  --build DIR    the build directory (build)
  --rounds N     medians of N (15), one after another in turn

Shown are time by the clock and processor time: of the file as it is, of what idmap convert compiles it
to, and of tiktoken, where this Python has it. The files are in the page cache. Run it with the Python
of BUILD/peers, which encode.py makes.
"""
import argparse, base64, ctypes, os, statistics, subprocess, tempfile, time

PATTERN = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]""" \
          r"""++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""


def opener(library, path):
    """Opens, asks for the fingerprint, which programs always do, and frees."""
    library.lxm_vocab_fingerprint.restype = ctypes.c_uint64

    def run():
        vocab = ctypes.c_void_p()
        if library.lxm_vocab_open(ctypes.byref(vocab), path.encode(), None, None):
            raise SystemExit(f'{path} is no vocabulary')
        library.lxm_vocab_fingerprint(vocab)
        return lambda: library.lxm_vocab_free(vocab)
    return run


def tiktoken_opener(path):
    import tiktoken

    def run():
        with open(path, 'rb') as file:
            pairs = (line.split() for line in file.read().splitlines() if line)
            ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
        encoding = tiktoken.Encoding('x', pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
        return lambda: encoding and None
    return run


def measure(run):
    clock, processor = time.perf_counter(), time.process_time()
    done = run()
    result = time.perf_counter() - clock, time.process_time() - processor
    done()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('vocab')
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compiled = os.path.join(folder, 'x.compiled')
        subprocess.run([os.path.join(o.build, 'idmap'), 'convert', o.vocab, '-o', compiled], check=True)
        library = ctypes.CDLL(os.path.join(o.build, 'src', 'liblexmill.so'))
        runs = {'compiled': opener(library, compiled), '.tiktoken': opener(library, o.vocab)}
        try:
            runs['tiktoken'] = tiktoken_opener(o.vocab)
        except ImportError:
            print('this Python has no tiktoken')
        times = {name: [] for name in runs}
        for _ in range(o.rounds):
            for name, run in runs.items():
                times[name].append(measure(run))
        print(f'{os.path.getsize(o.vocab):,} bytes, compiled {os.path.getsize(compiled):,}')
        for name, pairs in times.items():
            clock, processor = (statistics.median(column) * 1e3 for column in zip(*pairs))
            print(f'{name:10} {clock:8.2f} ms, processor {processor:8.2f} ms')


if __name__ == '__main__':
    main()
