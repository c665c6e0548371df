#!/usr/bin/env python3
"""Each tokenizer.json of testdata/families gives the ids that Hugging Face's tokenizers gave, in one
process and through the chain, whatever the threads; and decode gives the text that they gave.

usage: families.py TOKENIZE IDMAP LEXMILL
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

tokenize, idmap, lexmill = sys.argv[1:4]
data = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'testdata')
files = sorted(glob.glob(os.path.join(data, '*.txt')))
hostile = [json.loads(line)['text'] for line in open(os.path.join(data, 'families', 'hostile.jsonl'), encoding='utf-8')]
texts = [open(f, encoding='utf-8', newline='').read() for f in files] + hostile
# what each puts before and behind a document
templates = {'bert': '2 3', 'bert-added': '2 3', 'llama3': '0', 'roberta': '0 1', 'llama2': '1', 'mistral': '1',
             'gemma': '1'}
# pre-tokens that spell an added token: a stream doesn't say that they are plain text
ambiguous = {'llama2': [' ', '▁']}
failed = 0


def check(name, good, *shown):
    global failed
    if not good:
        failed += 1
        print('not ok', name, *(repr(s)[:300] for s in shown))


def good(*command, stdin=b''):
    done = subprocess.run(command, input=stdin, capture_output=True)
    check(' '.join(command), done.returncode == 0 and not done.stderr, done.stderr)
    return done.stdout


def ids_of(out):
    return [json.loads(line)['ids'] for line in out.splitlines()]


def same(name, got, want, but=()):
    check(name + ' count', len(got) == len(want), len(got), len(want))
    for text, g, w in zip(texts, got, want):
        check(name, g == w or text in but, text, g, w)


def check_family(path, documents, folder):
    name = os.path.basename(path)[:-len('.json')]
    special = [a['content'] for a in json.load(open(path))['added_tokens'] if a['special']]
    named = [x for content in special for x in ('--special', content)]
    rows = [json.loads(line) for line in open(path + 'l')]
    want = [row['named'] for row in rows]
    vocab = ['-V', path]
    for threads in '1', '2':
        same(f'{name} -j {threads}', ids_of(good(lexmill, *vocab, *named, '-j', threads, '-f', 'jsonl',
                                                 '-d', 'jsonl', documents)), want)
    if json.load(open(path))['model']['type'] != 'Unigram':
        same(f'{name} plain', ids_of(good(lexmill, *vocab, '-f', 'jsonl', '-d', 'jsonl', documents)),
             [row.get('plain', row['named']) for row in rows])
    tokens = good(tokenize, '--from', path, *named, '-d', 'jsonl', '-b', '--offsets', documents)
    but = ambiguous.get(name, [])
    chain = ids_of(good(idmap, *vocab, '-f', 'jsonl', stdin=tokens))
    same(f'{name} chain', chain, want, but)
    compiled = os.path.join(folder, name + '.compiled')
    good(idmap, 'convert', path, '-f', 'compiled', '-o', compiled)
    same(f'{name} compiled', ids_of(good(lexmill, '-V', compiled, *named, '-f', 'jsonl', '-d', 'jsonl', documents)), want)
    before, _, after = templates.get(name, '1 2').partition(' ')
    def frame(lists):
        return [[int(before)] + ids + ([int(after)] if after else []) for ids in lists]
    for v in path, compiled:
        one = good(lexmill, '-V', v, *named, '--template', '-f', 'jsonl', '-d', 'jsonl', documents)
        same(f'{name} --template', ids_of(one), frame(want))
    for form in 'jsonl', 'text':  # one after another, and side by side
        two = good(idmap, *vocab, '--template', '-f', form, stdin=tokens)
        lists = ids_of(two) if form == 'jsonl' else [[int(i) for i in line.split()] for line in two.splitlines()]
        check(f'{name} --template {form}', lists == frame(chain), lists, frame(chain))
    shown = [row for row in rows if '\0' not in row.get('text', '\0')]
    lines = ''.join(' '.join(map(str, row['named'])) + '\n' for row in shown).encode()
    back = good(idmap, 'decode', *vocab, '--skip-special', '-d', 'nul', stdin=lines).split(b'\0')
    check(f'{name} decode count', len(back) == len(shown) + 1 and len(shown) > 50, len(back), len(shown))
    for row, text in zip(shown, back):
        check(f'{name} decode', text == row['text'].encode(), text, row)
    check(f'{name} decode, compiled', good(idmap, 'decode', '-V', compiled, '--skip-special', '-d', 'nul',
                                           stdin=lines).split(b'\0') == back)
    check_long(name, vocab, named, folder)


def check_long(name, vocab, named, folder):
    """A document of many chunks: the same for any number of threads, and as from a pipe."""
    path = os.path.join(folder, 'long.txt')
    with open(path, 'w', encoding='utf-8', newline='') as f:
        f.write(''.join(texts[:len(files)]) * 30)
    one = good(lexmill, *vocab, *named, '-j', '1', path)
    check(f'{name} long -j 2', good(lexmill, *vocab, *named, '-j', '2', path) == one)
    chain = good(idmap, *vocab, stdin=good(tokenize, '--from', vocab[1], *named, '-b', path))
    check(f'{name} long, in a chain', chain == one)


with tempfile.TemporaryDirectory() as folder:
    documents = os.path.join(folder, 'documents.jsonl')
    with open(documents, 'w') as f:
        f.writelines(json.dumps({'text': t}) + '\n' for t in texts)
    paths = sorted(glob.glob(os.path.join(data, 'families', '*.json')))
    check('there are families', len(paths) >= 9, paths)
    for path in paths:
        check_family(path, documents, folder)
sys.exit(1 if failed else 0)
