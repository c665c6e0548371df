#!/usr/bin/env python3
"""Vocabularies with models, as a user meets them: idmap and lexmill give the same ids, whatever the
threads and formats, and decode gives the text back.

usage: models.py TOKENIZE IDMAP LEXMILL
"""
import json
import os
import random
import subprocess
import sys
import tempfile

tokenize, idmap, lexmill = sys.argv[1:4]
data = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'testdata')
vocabs = {'gpt2': ['-p', 'gpt2'], 'bytes.json': ['-p', 'gpt2'], 'ranks.tiktoken': ['-p', 'cl100k'],
          'whole.json': ['-p', 'llama3'],
          'wordpiece.json': ['-p', 'bert', '--lowercase', '--strip-marks']}
exact = ['gpt2', 'bytes.json', 'ranks.tiktoken', 'whole.json']
texts = ['english.txt', 'japanese.txt', 'emoji.txt', 'spaces.txt', 'crlf.txt', 'empty.txt', 'nul.txt']
failed = 0


def check(name, good, *shown):
    global failed
    if not good:
        failed += 1
        print('not ok', name, *(repr(s)[:300] for s in shown))


def run(*command, stdin=b''):
    done = subprocess.run(command, input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def good(*command, stdin=b''):
    status, out, errors = run(*command, stdin=stdin)
    check(' '.join(command), status == 0 and not errors, errors)
    return out


def same_ids(vocab, cut, paths):
    v = ['-V', os.path.join(data, 'vocab', vocab)]
    for form in ([], ['-f', 'jsonl'], ['-f', 'jsonl', '--offsets']):
        for documents in ('file', 'line', 'blank'):
            tokens = good(tokenize, '-b', *cut, '-d', documents, *form[2:], *paths)
            two = good(idmap, *v, *form[:2], stdin=tokens)
            for threads in '1', '2':
                one = good(lexmill, *v, *cut, '-d', documents, *form, '-j', threads, *paths)
                check(f'{vocab} {form} {documents} -j {threads}', one == two, one, two)


def comes_back(vocab, cut, text):
    v = ['-V', os.path.join(data, 'vocab', vocab)]
    for form in [], ['-b'], ['-b', '--offsets']:
        ids = good(lexmill, *v, *cut, '--invalid', 'bytes', *form, stdin=text)
        check(f'{vocab} {form} decode', good(idmap, 'decode', *v, stdin=ids) == text)


def offsets_join(vocab, cut, text):
    v = ['-V', os.path.join(data, 'vocab', vocab)]
    lines = good(lexmill, *v, *cut, '-f', 'jsonl', '--offsets', stdin=text).splitlines()
    offsets = json.loads(lines[0])['offsets']
    check(f'{vocab} offsets', b''.join(text[b:e] for b, e in offsets) == text)


random.seed(5)
paths = [os.path.join(data, t) for t in texts]
long = ''.join(open(p, encoding='utf-8', newline='').read() for p in paths[:4]) * 60
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'long.txt')
    with open(path, 'w', encoding='utf-8', newline='') as f:
        f.write(long)
    for vocab, cut in vocabs.items():
        same_ids(vocab, cut, paths + [path])
for vocab in exact:
    comes_back(vocab, vocabs[vocab], random.randbytes(70000))
    comes_back(vocab, vocabs[vocab], long.encode())
    offsets_join(vocab, vocabs[vocab], long.encode()[:5000].decode(errors='ignore').encode())

gpt2 = os.path.join(data, 'vocab', 'gpt2')
plain = good(lexmill, '-V', gpt2, '-p', 'gpt2', stdin=b'a<|end|>b').split()
special = good(lexmill, '-V', gpt2, '-p', 'gpt2', '--special', '<|end|>', stdin=b'a<|end|>b').split()
check('a special token is one id where it is named, and text where not', len(special) == 3 < len(plain))
status, out, errors = run(lexmill, '-V', gpt2, stdin=b'a')
check('a model wants a pattern', status == 2 and errors.count(b'\n') == 1 and b'-p' in errors, errors)
status, out, errors = run(lexmill, '-p', 'gpt2', stdin=b'a')
check('a vocabulary is needed', status == 2 and errors.count(b'\n') == 1, errors)
status, out, errors = run(idmap, 'decode', '-V', gpt2, stdin=b'5 99999\n')
check('an id without a token', status == 1 and b'99999' in errors, errors)
check('WordPiece joins', good(idmap, 'decode', '-V', os.path.join(data, 'vocab', 'wordpiece.json'),
                              stdin=good(lexmill, '-V', os.path.join(data, 'vocab', 'wordpiece.json'),
                                         '-p', 'bert', '--lowercase', stdin=b'The singing birds'))
      == b'the singing birds')
status, out, errors = run(idmap, 'info', gpt2)
check('info', status == 0 and b'model: bpe' in out and b'vocab.json' in out, out)
sys.exit(1 if failed else 0)
