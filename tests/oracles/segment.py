#!/usr/bin/env python3
"""Makes what the presets are held to, testdata/oracles, with the presets' own references: segment.py
[--corpora FOLDER] [--write]

Needs tiktoken, tokenizers, regex and xxhash of PyPI, and a built tokenize (--build DIR). Without
--write it tells what would change (exit status 1). FOLDER has english.txt and code.txt, of which the
lines within the first 16 MB count; without it what is written of them stays.

The patterns are those of tiktoken's openai_public.py and of the files of Llama 3 and Qwen 2, their
tokens those of tiktoken's own engine; Hugging Face's tokenizers must agree. BERT's are those of
tokenizers' BertNormalizer and BertPreTokenizer.

  PRESET.tokens   a text of testdata a line, or a string of hostile.txt (NUL ends each): name, TAB, tokens parted by
                  TABs, escaped as tokenize's text form does it
  unicode.tsv     the code points in which peers differ, since their Unicode is another: preset, peers,
                  first, last, our tokens of PROBE, theirs, parted by |, the code point as @
  streams.tsv     larger texts, without the code points of unicode.tsv: text, XXH3 of its bytes,
                  preset, count of tokens, XXH3 of tokenize's text form. "code points" is PROBE with
                  each code point, a document each
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

import regex
import tiktoken
import tiktoken_ext.openai_public as public
import xxhash
from tokenizers import Regex, normalizers, pre_tokenizers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTDATA = os.path.join(ROOT, "testdata")
TARGET = os.path.join(TESTDATA, "oracles")
SHARED = os.path.join(ROOT, "..", "shared", "data")
SHARED_TEXTS = ["text/wikitext-2-valid.txt", "text/many-languages.txt", "text/emoji.txt",
                "book/the-verdict.txt", "cs336/corpus.en", "word2vec/questions-words.txt"]
CORPORA = ["english.txt", "code.txt"]
CORPUS_SIZE = 16_000_000  # of each, as many bytes
PROBE = "a@b 1@.@ A@B @@"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def public_pattern(encoding):
    """The pattern that openai_public.py has, without the vocabulary that it would download."""
    public.load_tiktoken_bpe = public.data_gym_to_mergeable_bpe_ranks = lambda *_, **__: {}
    return getattr(public, encoding)()["pat_str"]


# ---- the peers: each takes documents and gives a list of tokens for each ----

def native(pattern, documents, candidates):
    """The pieces that tiktoken's own engine makes, found by asking whether they are one of the
    candidates. The vocabulary has every candidate piece and every two pieces in a row: had the engine
    taken two for one piece, or in one piece, they would come out as one token."""
    ranks = {bytes([i]): i for i in range(256)}
    for pieces in (pieces for candidate in candidates for pieces in candidate):
        encoded = [piece.encode() for piece in pieces]
        for piece in encoded + [a + b for a, b in zip(encoded, encoded[1:])]:
            ranks.setdefault(piece, len(ranks))
    encoding = tiktoken.Encoding("peer", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    names = {rank: piece for piece, rank in ranks.items()}
    found = []
    for i, document in enumerate(documents):
        got = [names[rank] for rank in encoding.encode_ordinary(document)]
        for candidate in candidates:
            if got == [piece.encode() for piece in candidate[i]]:
                found.append(candidate[i])
                break
        else:
            raise SystemExit(f"tiktoken's pieces of {document[:200]!r} are none that was thought of")
    return found


def tiktoken_peer(pattern):
    compiled = regex.compile(pattern)
    other = huggingface_peer(pattern)

    def split(documents, more=None):
        candidates = [[compiled.findall(document) for document in documents], other(documents)]
        return native(pattern, documents, candidates + ([more] if more else []))
    return split


def huggingface_peer(pattern):
    # what lies between matches is a piece as well, which doesn't happen: \{1,3}+ is spelled otherwise
    split = pre_tokenizers.Split(Regex(pattern.replace("{1,3}+", "{1,3}")), "isolated")
    return lambda documents: [[piece for piece, _ in split.pre_tokenize_str(document)]
                              for document in documents]


def byte_level_peer(_):
    """GPT-2's: pieces come in the byte alphabet."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    alphabet = {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(rest)}
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return lambda documents: [[bytes(alphabet[c] for c in piece).decode()
                               for piece, _ in split.pre_tokenize_str(document)]
                              for document in documents]


def bert_peer(uncased):
    normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True,
                                            strip_accents=uncased, lowercase=uncased)
    split = pre_tokenizers.BertPreTokenizer()
    return lambda documents: [[piece for piece, _ in
                               split.pre_tokenize_str(normalizer.normalize_str(document))]
                              for document in documents]


def peers():
    """For each preset: tokenize's options, and its peers by name, the one that decides first."""
    table = {}
    for preset, pattern in (("gpt2", public_pattern("gpt2")), ("cl100k", public_pattern("cl100k_base")),
                            ("o200k", public_pattern("o200k_base")),
                            ("llama3", LLAMA3 % r"\p{N}{1,3}"), ("qwen2", LLAMA3 % r"\p{N}")):
        hugging_face = byte_level_peer if preset == "gpt2" else huggingface_peer
        table[preset] = (["-p", preset], {"tiktoken": tiktoken_peer(pattern),
                                          "tokenizers": hugging_face(pattern)})
    for alias in ("r50k_base", "p50k_base"):
        assert public_pattern(alias) == public_pattern("gpt2"), alias
    table["bert"] = (["-p", "bert"], {"tokenizers": bert_peer(False)})
    table["bert-uncased"] = (["-p", "bert", "--lowercase", "--strip-marks"],
                             {"tokenizers": bert_peer(True)})
    return table


def ours(tokenize, options, documents):
    lines = "".join(json.dumps({"text": document}) + "\n" for document in documents)
    done = subprocess.run([tokenize, *options, "-d", "jsonl", "-f", "jsonl"], input=lines.encode(),
                          capture_output=True, check=True)
    return [json.loads(line)["tokens"] for line in done.stdout.splitlines()]


# ---- texts ----

def code_points():
    """Those that are assigned in some version of Unicode, and what is next to them."""
    return [c for c in [*range(0x34000), *range(0xE0000, 0xE1000)] if not 0xD800 <= c < 0xE000]


def small_texts():
    texts = {}
    for path in sorted(glob.glob(os.path.join(TESTDATA, "*.txt"))):
        with open(path, "rb") as file:
            texts[os.path.basename(path)] = file.read().decode()
    with open(os.path.join(TARGET, "hostile.txt"), "rb") as file:
        for i, string in enumerate(file.read().decode().split("\0")[:-1]):
            texts[f"hostile.txt:{i}"] = string
    return texts


def large_texts(corpora):
    paths = {name: os.path.join(SHARED, name) for name in SHARED_TEXTS}
    if corpora:
        paths |= {name: os.path.join(corpora, name) for name in CORPORA}
    for name, path in paths.items():
        with open(path, "rb") as file:
            data = file.read(CORPUS_SIZE)
        yield name, data if len(data) < CORPUS_SIZE else data[:data.rindex(b"\n") + 1]


def parts(text):
    """Cuts where every pattern does: between letters, before a single blank."""
    at = 0
    while at < len(text):
        cut = re.compile("[a-z](?= [a-z])").search(text, at + 500_000)
        end = cut.end() if cut else len(text)
        yield text[at:end]
        at = end


# ---- what is written ----

def escape(token):
    return re.sub(r"[\\\n\r\t\0]", lambda c: {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t",
                                              "\0": r"\0"}[c.group()], token)


def stream(documents):
    """Count and XXH3 of what tokenize writes for documents."""
    text = "\n".join("".join(escape(token) + "\n" for token in tokens) for tokens in documents)
    return sum(map(len, documents)), xxhash.xxh3_64_hexdigest(text.encode())


def decide(preset, split, documents, more=None):
    """The tokens of the peer that decides; the others must have the same."""
    names = list(split)
    found = split[names[0]](documents, more) if names[0] == "tiktoken" else split[names[0]](documents)
    for name in names[1:]:
        for document, a, b in zip(documents, found, split[name](documents)):
            if a != b:
                at = next(i for i, (x, y) in enumerate(zip(a, b)) if x != y)
                raise SystemExit(f"{preset}: {names[0]} has {a[at:at + 3]}, {name} {b[at:at + 3]}"
                                 f" in {document[:100]!r}")
    return found


def shape(tokens, c):
    return "|".join(token.replace(chr(c), "@") if c not in map(ord, "ab1.AB ") else token
                    for token in map(escape, tokens))


def differences(preset, tokenize, options, split):
    """Lines of unicode.tsv, and the code points."""
    points = code_points()
    documents = [PROBE.replace("@", chr(c)) for c in points]
    mine = ours(tokenize, options, documents)
    ranges, differing = [], set()
    for peer, function in split.items():
        theirs = []
        for i in range(0, len(points), 5000):
            some = documents[i:i + 5000]
            theirs += function(some, mine[i:i + 5000]) if peer == "tiktoken" else function(some)
        last = None
        for c, a, b in zip(points, mine, theirs):
            if a == b:
                continue
            differing.add(c)
            row = [shape(a, c), shape(b, c)]
            if last and last[2:] == row and last[1] == c - 1:
                last[1] = c
            else:
                last = [c, c, *row]
                ranges.append((last, peer))
    rows = {}
    for row, peer in ranges:
        rows.setdefault(tuple(row), []).append(peer)
    return [f"{preset}\t{','.join(names)}\t{first:04X}\t{last:04X}\t{a}\t{b}\n"
            for (first, last, a, b), names in sorted(rows.items())], differing


def without(text, differing):
    return "".join(c for c in text if ord(c) not in differing) if differing else text


def make(options):
    tokenize = os.path.join(options.build, "tokenize")
    files, streams, unicode_lines = {}, [], []
    for preset, (arguments, split) in peers().items():
        lines, differing = differences(preset, tokenize, arguments, split)
        unicode_lines += lines
        texts = small_texts()
        assert all(text == without(text, differing) for text in texts.values())
        found = decide(preset, split, list(texts.values()))
        files[preset + ".tokens"] = "".join(
            "\t".join([name, *map(escape, tokens)]) + "\n" for name, tokens in zip(texts, found))
        probes = [PROBE.replace("@", chr(c)) for c in code_points() if c not in differing]
        found = []
        for i in range(0, len(probes), 5000):
            found += decide(preset, split, probes[i:i + 5000])
        streams.append(("code points", "-", preset, *stream(found)))
        for name, data in large_texts(options.corpora):
            found = []
            for part in parts(without(data.decode(errors="replace"), differing)):
                found += decide(preset, split, [part])[0]
            streams.append((name, xxhash.xxh3_64_hexdigest(data), preset, *stream([found])))
            print(preset, name, file=sys.stderr)
    files["unicode.tsv"] = "".join(unicode_lines)
    files["streams.tsv"] = "".join("\t".join(map(str, row)) + "\n" for row in sorted(streams))
    return files


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--corpora")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.makedirs(TARGET, exist_ok=True)
    changed = 0
    for name, text in make(options).items():
        path = os.path.join(TARGET, name)
        old = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as file:
                old = file.read()
        if name == "streams.tsv" and not options.corpora:
            kept = [line for line in old.splitlines(True) if line.split("\t")[0] in CORPORA]
            text = "".join(sorted(text.splitlines(True) + kept))
        changed += text != old
        print(f"{name}: {'changed' if text != old else 'the same'}")
        if options.write:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
    return 1 if changed and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
