#!/usr/bin/env python3
"""Text to ids beside other people's tokenizers, one thread: encode.py [OPTION]... FILE...

  --build DIR       the build directory (build); BUILD/tests/bench/bench_encode must be there
  --gpt2 FOLDER     GPT-2's encoder.json and vocab.bpe, or vocab.json and merges.txt
  --cl100k FILE     cl100k_base.tiktoken
  --size MB         of each file (20)
  --rounds N        medians of N (3)
  --cpu             processor time in place of time by the clock, for a machine that isn't quiet

It makes an environment with the peers from PyPI in BUILD/peers, once. The ids of all are compared
first. Each figure is from a process of its own: the text is one document, in memory; cold is the
first time that the process encodes it, warm the second. MB/s of text; the ids end up in an array
(a list for tokenizers). A peer that can't be installed or can't do a vocabulary is left out.
"""
import argparse, base64, json, os, statistics, subprocess, sys, tempfile, time

PEERS = ['gigatoken', 'quicktok', 'tiktoken', 'tokenizers']
PACKAGES = {'gigatoken': 'gigatoken', 'quicktok': 'quicktok-v1', 'tiktoken': 'tiktoken',
            'tokenizers': 'tokenizers'}
PATTERNS = {
    'gpt2': r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    'cl100k': r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]"""
              r"""++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""}


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


def make_peer(name, kind, vocab):
    """A function from text and its bytes to ids."""
    if name == 'tiktoken':
        import tiktoken
        encoding = tiktoken.Encoding(kind, pat_str=PATTERNS[kind], mergeable_ranks=ranks_of(vocab),
                                     special_tokens={})
        return lambda text, data: encoding.encode_to_numpy(text, disallowed_special=())
    if name == 'gigatoken':
        import gigatoken
        path = os.path.join(tempfile.mkdtemp(), {'gpt2': 'r50k_base', 'cl100k': 'cl100k_base'}[kind]
                            + '.tiktoken')
        with open(path, 'wb') as f:
            for token, rank in sorted(ranks_of(vocab).items(), key=lambda item: item[1]):
                f.write(base64.b64encode(token) + b' %d\n' % rank)
        tokenizer = gigatoken.Tokenizer.from_tiktoken(path)
        return lambda text, data: tokenizer.encode_batch([data], parallel=False)[0]
    if name == 'quicktok' and kind == 'cl100k':
        import quicktok
        encoding = quicktok.get_encoding('cl100k_base')
        return lambda text, data: encoding.encode_batch([text], threads=1)[0]
    if name == 'tokenizers' and kind == 'gpt2':
        from tokenizers import Tokenizer, models, pre_tokenizers
        tokenizer = Tokenizer(models.BPE.from_file(*pair(vocab)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return lambda text, data: tokenizer.encode(text).ids
    return None


def run_peer(o):
    import numpy
    encode = make_peer(o.peer, o.kind, o.vocab)
    if not encode:
        raise SystemExit(3)
    data = open(o.files[0], 'rb').read(o.size)
    text = data.decode()
    clock = time.process_time if o.cpu else time.perf_counter
    encode('a', b'a')
    rates = []
    for _ in range(2):
        begin = clock()
        ids = encode(text, data)
        rates.append(len(data) / (clock() - begin) / 1e6)
    if o.ids != '-':
        numpy.asarray(ids).astype('<u4').tofile(o.ids)
    print(*rates)


def measure(o, name, kind, vocab, path, size, ids):
    environment = dict(os.environ, RAYON_NUM_THREADS='1', TOKENIZERS_PARALLELISM='false',
                       OMP_NUM_THREADS='1')
    if name == 'lexmill':
        command = [os.path.join(o.build, 'tests/bench/bench_encode'), vocab, kind, path, str(size),
                   ids]
        environment.update({'BENCH_CPU': '1'} if o.cpu else {})
    else:
        command = [sys.executable, __file__, '--peer', name, '--kind', kind, '--vocab', vocab,
                   '--bytes', str(size), '--ids', ids, path] + (['--cpu'] if o.cpu else [])
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 3:
        return None
    if done.returncode:
        print(f'  {name}: {done.stderr.strip().splitlines()[-1:]}')
        return None
    return [float(x) for x in done.stdout.split()]


def whole_characters(path, size):
    """At most `size` bytes of a file, cut between lines."""
    with open(path, 'rb') as f:
        data = f.read(size)
    return data.rfind(b'\n') + 1 or len(data)


def compare(o, kind, vocab, path):
    size = whole_characters(path, o.size * 1000000)
    name = os.path.basename(path)
    with tempfile.TemporaryDirectory() as folder:
        files, able = {}, []
        for peer in ['lexmill', *PEERS]:
            files[peer] = os.path.join(folder, peer)
            if measure(o, peer, kind, vocab, path, size, files[peer]):
                able.append(peer)
        want = open(files['lexmill'], 'rb').read()
        for peer in able:
            if open(files[peer], 'rb').read() != want:
                print(f'{kind} {name}: the ids of {peer} are others')
    ours = None
    for peer in able:
        rounds = [measure(o, peer, kind, vocab, path, size, '-') for _ in range(o.rounds)]
        cold, warm = (statistics.median(r[i] for r in rounds) for i in (0, 1))
        ours = ours or (cold, warm)
        print(f'{kind:8}{name:20}{peer:12}{cold:9.1f}{warm:9.1f}{ours[0] / cold:9.1f}x'
              f'{ours[1] / warm:7.1f}x', flush=True)


def enter_environment(o):
    """Goes on in the environment with the peers, which it makes if it isn't there."""
    folder = os.path.join(o.build, 'peers')
    python = os.path.join(folder, 'bin', 'python')
    if os.path.realpath(sys.prefix) == os.path.realpath(folder):
        return
    if not os.path.exists(python):
        subprocess.run([sys.executable, '-m', 'venv', folder], check=True)
        pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
        subprocess.run([*pip, 'numpy'], check=True)
        for package in PACKAGES.values():
            if subprocess.run([*pip, package]).returncode:
                print(f'{package} could not be installed: left out')
    os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default='build')
    parser.add_argument('--gpt2')
    parser.add_argument('--cl100k')
    parser.add_argument('--size', type=int, default=20)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--cpu', action='store_true')
    for hidden in '--peer', '--kind', '--vocab', '--ids':
        parser.add_argument(hidden)
    parser.add_argument('--bytes', type=int)
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
    print(f'{model[0] if model else "unknown processor"}; MB/s, and how many times that lexmill is')
    print(f'{"":40}{"cold":>9}{"warm":>9}{"cold":>10}{"warm":>8}')
    for kind in 'gpt2', 'cl100k':
        for path in o.files if getattr(o, kind) else []:
            compare(o, kind, getattr(o, kind), path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
