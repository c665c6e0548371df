#!/usr/bin/env python3
"""Text to ids beside other people's tokenizers: encode.py [OPTION]... FILE...

  --build DIR       the build directory (build); BUILD/tests/bench/bench_encode must be there
  --gpt2 FOLDER     GPT-2's encoder.json and vocab.bpe, or vocab.json and merges.txt
  --cl100k FILE     cl100k_base.tiktoken
  --size MB         of each file (20)
  --rounds N        medians of N, all tokenizers in turn (5)
  --without NAME    leave out a peer: the slow ones take hours for large files; may be repeated
  --cpu             processor time in place of time by the clock, for a machine that isn't quiet:
                    then one thread alone

It makes an environment with the peers from PyPI in BUILD/peers, once. The ids of all are compared
before anything is timed. Each figure is from a process of its own. What is timed is one call on a
tokenizer that is loaded and has encoded the letter a, from text in memory to ids in an array (a
list for tokenizers): cold is the first call, warm the second. One thread takes the text as one
document, two take it in parts of 64 KiB. Loading, the programs and their pipe stand apart. A peer
that can't be installed or can't do a vocabulary is left out, and said.
"""
import argparse, base64, json, os, resource, statistics, subprocess, sys, tempfile, time

PEERS = ['gigatoken', 'quicktok', 'tiktoken', 'tokenizers']
PACKAGES = {'gigatoken': 'gigatoken', 'quicktok': 'quicktok-v1', 'tiktoken': 'tiktoken',
            'tokenizers': 'tokenizers'}
PATTERNS = {
    'gpt2': r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    'cl100k': r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]"""
              r"""++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""}
PART = 1 << 16


# ---- the peers, each in a process of its own ----

def pair(folder):
    for names in ('encoder.json', 'vocab.bpe'), ('vocab.json', 'merges.txt'):
        paths = [os.path.join(folder, n) for n in names]
        if all(map(os.path.exists, paths)):
            return paths
    raise SystemExit(f'{folder} has no vocabulary of GPT-2')


def ranks_of(vocab):
    if os.path.isfile(vocab):
        lines = [line.split() for line in open(vocab, 'rb')]
        return {base64.b64decode(token): int(rank) for token, rank in lines}
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    byte = {**{chr(b): b for b in own}, **{chr(256 + i): b for i, b in enumerate(others)}}
    tokens = json.load(open(pair(vocab)[0], encoding='utf-8'))
    return {bytes(byte[c] for c in t): i for t, i in tokens.items() if t != '<|endoftext|>'}


def tiktoken_file(kind, vocab):
    """A .tiktoken file with the name that tells gigatoken the pattern."""
    path = os.path.join(tempfile.mkdtemp(), {'gpt2': 'r50k_base', 'cl100k': 'cl100k_base'}[kind]
                        + '.tiktoken')
    with open(path, 'wb') as f:
        for token, rank in sorted(ranks_of(vocab).items(), key=lambda item: item[1]):
            f.write(base64.b64encode(token) + b' %d\n' % rank)
    return path


def load_tiktoken(kind, vocab):
    import tiktoken
    encoding = tiktoken.Encoding(kind, pat_str=PATTERNS[kind], mergeable_ranks=ranks_of(vocab),
                                 special_tokens={})
    return lambda texts, threads: (
        encoding.encode_to_numpy(texts[0], disallowed_special=()) if threads == 1 else
        encoding.encode_ordinary_batch(texts, num_threads=threads))


def load_gigatoken(kind, vocab):
    import gigatoken
    tokenizer = gigatoken.Tokenizer.from_tiktoken(vocab)
    return lambda texts, threads: (
        tokenizer.encode_batch(texts, parallel=False)[0] if threads == 1 else
        tokenizer.encode_batch(texts, parallel=True))


def load_quicktok(kind, vocab):
    import quicktok
    encoding = quicktok.get_encoding('cl100k_base')
    return lambda texts, threads: encoding.encode_batch(texts, threads=threads)[0]


def load_tokenizers(kind, vocab):
    from tokenizers import Tokenizer, models, pre_tokenizers
    tokenizer = Tokenizer(models.BPE.from_file(*pair(vocab)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return lambda texts, threads: (tokenizer.encode(texts[0]).ids if threads == 1 else
                                   tokenizer.encode_batch(texts))


LOADERS = {('tiktoken', 'gpt2'): load_tiktoken, ('tiktoken', 'cl100k'): load_tiktoken,
           ('gigatoken', 'gpt2'): load_gigatoken, ('gigatoken', 'cl100k'): load_gigatoken,
           ('quicktok', 'cl100k'): load_quicktok, ('tokenizers', 'gpt2'): load_tokenizers}


def parts_of(data):
    parts, at = [], 0
    while at < len(data):
        end = data.find(b'\n', min(at + PART, len(data)) - 1) + 1 or len(data)
        parts.append(data[at:end])
        at = end
    return parts


def run_peer(o):
    """Prints the milliseconds of loading, MB/s cold, MB/s warm."""
    load = LOADERS.get((o.peer, o.kind))
    if not load:
        raise SystemExit(3)
    import numpy
    clock = time.process_time if o.cpu else time.perf_counter
    vocab = tiktoken_file(o.kind, o.vocab) if o.peer == 'gigatoken' else o.vocab
    data = open(o.files[0], 'rb').read(o.size)
    texts = [data] if o.threads == 1 else parts_of(data)
    if o.peer != 'gigatoken':
        texts = [t.decode() for t in texts]
    begin = clock()
    encode = load(o.kind, vocab)
    figures = [(clock() - begin) * 1e3]
    encode([b'a' if o.peer == 'gigatoken' else 'a'], o.threads)
    for _ in range(2):
        begin = clock()
        ids = encode(texts, o.threads)
        figures.append(len(data) / (clock() - begin) / 1e6)
    if o.ids != '-':
        numpy.asarray(ids).astype('<u4').tofile(o.ids)
    print(*figures)


# ---- measuring ----

def measure(o, name, kind, vocab, path, size, threads, ids='-'):
    """Milliseconds of loading, MB/s cold and warm; None where the tokenizer can't do it."""
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS='1',
                       TOKENIZERS_PARALLELISM='true' if threads > 1 else 'false')
    if name == 'lexmill':
        command = [os.path.join(o.build, 'tests/bench/bench_encode'), vocab, kind, path, str(size),
                   ids, str(threads)]
        environment.update({'BENCH_CPU': '1'} if o.cpu else {})
    else:
        command = [sys.executable, __file__, '--peer', name, '--kind', kind, '--vocab', vocab,
                   '--bytes', str(size), '--threads', str(threads), '--ids', ids, path]
        command += ['--cpu'] if o.cpu else []
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 3:
        return None
    if done.returncode:
        print(f'  {name} is left out: {done.stderr.strip().splitlines()[-1:]}')
        return None
    return [float(x) for x in done.stdout.split()]


def whole_lines(path, size):
    with open(path, 'rb') as f:
        data = f.read(size)
    return data.rfind(b'\n') + 1 or len(data)


def who_agrees(o, kind, vocab, path, size):
    """The tokenizers that can do it, ours first, once their ids are found to be the same."""
    with tempfile.TemporaryDirectory() as folder:
        files, able = {}, []
        for name in ['lexmill', *(p for p in PEERS if p not in o.without)]:
            files[name] = os.path.join(folder, name)
            if measure(o, name, kind, vocab, path, size, 1, files[name]):
                able.append(name)
        if 'lexmill' not in able:
            raise SystemExit('bench_encode failed: is it built?')
        want = open(files['lexmill'], 'rb').read()
        for name in able[1:]:
            if open(files[name], 'rb').read() != want:
                print(f'{kind} {os.path.basename(path)}: the ids of {name} are others')
    return able


def compare(o, kind, vocab, path):
    size = whole_lines(path, o.size * 1000000)
    able = who_agrees(o, kind, vocab, path, size)
    counts = [1] if o.cpu else [1, 2]
    figures = {(name, n): [] for name in able for n in counts}
    for _ in range(o.rounds):
        for name, n in figures:
            figures[name, n].append(measure(o, name, kind, vocab, path, size, n))
    middle = {key: [statistics.median(column) for column in zip(*rounds)]
              for key, rounds in figures.items()}
    for name in able:
        line = f'{kind:7}{os.path.basename(path):14}{name:11}'
        for n in counts:
            ours, its = middle['lexmill', n], middle[name, n]
            line += ''.join(f'{its[i]:8.1f}{ours[i] / its[i]:7.2f}x' for i in (1, 2))
        print(line + f'{middle[name, 1][0]:10.1f}', flush=True)


def seconds(o, command):
    """The median time of a shell command."""
    times = []
    for _ in range(o.rounds):
        used, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(['bash', '-o', 'pipefail', '-c', command], check=True,
                       stdout=subprocess.DEVNULL)
        end, now = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        times.append(cpu if o.cpu else end - begin)
    return statistics.median(times)


def time_programs(o, kind, vocab, path):
    """The programs on a file: a compiled vocabulary, one process, the pipe, lines as documents."""
    size = whole_lines(path, o.size * 1000000)
    with tempfile.TemporaryDirectory() as folder:
        text, short, compiled = (os.path.join(folder, n) for n in ('text', 'short', 'vocab'))
        with open(path, 'rb') as f, open(text, 'wb') as g:
            g.write(f.read(size))
        with open(text, 'rb') as f, open(short, 'wb') as g:
            g.writelines(line for line, _ in zip(f, range(10000)))
        b = os.path.join(o.build, '')
        subprocess.run([f'{b}idmap', 'convert', vocab, '-f', 'compiled', '-p', kind, '-o',
                        compiled], check=True)
        lexmill = f'{b}lexmill -V {compiled} -p {kind} -b'
        idle = seconds(o, f'{lexmill} /dev/null')
        whole = seconds(o, f'{lexmill} {text}')
        one = seconds(o, f'{lexmill} -j1 {text}')
        lines = seconds(o, f'{lexmill} -d line {text}')
        pipe = seconds(o, f'{b}tokenize -p {kind} -b {text} | {b}idmap -V {compiled} -b')
        long10k = seconds(o, f'{lexmill} -j1 {short}')
        short10k = seconds(o, f'{lexmill} -j1 -d line {short}')
        rate = lambda t: size / t / 1e6
        load = measure(o, 'lexmill', kind, compiled, path, whole_lines(path, 4000), 1)[0]
    threads = '' if o.cpu else f' (-j1 {rate(one):.0f}, {one / whole:.2f}x)'
    print(f'{kind:7}{os.path.basename(path):14}lexmill -b {rate(whole):.0f} MB/s{threads}; '
          f'-d line {rate(lines):.0f} '
          f'({whole / lines:.2f}x); tokenize -b | idmap -b {rate(pipe):.0f} ({whole / pipe:.2f}x); '
          f'10,000 lines {short10k * 1e3:.1f} ms, as one document {long10k * 1e3:.1f}, no text '
          f'{idle * 1e3:.1f}; compiled vocabulary loads in {load:.2f} ms', flush=True)


def enter_environment(o):
    """Goes on in the environment with the peers, which it makes if it isn't there."""
    folder = os.path.join(o.build, 'peers')
    python = os.path.join(folder, 'bin', 'python')
    if os.path.realpath(sys.prefix) == os.path.realpath(folder):
        return
    if not os.path.exists(python):
        subprocess.run([sys.executable, '-m', 'venv', folder], check=True)
        pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
        for package in ['numpy', *PACKAGES.values()]:
            if subprocess.run([*pip, package]).returncode:
                print(f'{package} could not be installed: left out')
    os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default='build')
    parser.add_argument('--gpt2')
    parser.add_argument('--cl100k')
    parser.add_argument('--size', type=int, default=20)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--without', action='append', default=[], choices=PEERS)
    parser.add_argument('--cpu', action='store_true')
    for hidden in '--peer', '--kind', '--vocab', '--ids':
        parser.add_argument(hidden)
    for hidden in '--bytes', '--threads':
        parser.add_argument(hidden, type=int)
    parser.add_argument('files', nargs='+')
    o = parser.parse_args()
    if o.peer:
        o.size = o.bytes
        return run_peer(o)
    if not o.gpt2 and not o.cl100k:
        parser.error('name a vocabulary: --gpt2 or --cl100k')
    enter_environment(o)
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = [line.split(':')[1].strip() for line in f if line.startswith('model name')]
    print(f'{model[0] if model else "unknown processor"}, {os.cpu_count()} processors; MB/s '
          f'{"of processor time" if o.cpu else "by the clock"}, and how many times that lexmill is')
    head = ''.join(f'{n + w:>16}' for n in (['1 '] if o.cpu else ['1 ', '2 ']) for w in
                   ('cold', 'warm'))
    print(f'{"":32}{head}{"load, ms":>10}')
    todo = [(kind, getattr(o, kind), path) for kind in ('gpt2', 'cl100k') if getattr(o, kind)
            for path in o.files]
    for item in todo:
        compare(o, *item)
    for item in todo:
        time_programs(o, *item)
    return 0


if __name__ == '__main__':
    sys.exit(main())
