#!/usr/bin/env python3
"""Makes the vocabularies of this folder and what they make of the texts beside it.

Needs tokenizers and tiktoken from PyPI; the tests need neither. Run it in this folder. NAME.tsv has
a line for each pre-token: the token, escaped as in a token stream, TAB, its ids; with ":END" behind
an id, the byte of the token at which it ends.
"""
import base64
import json
import os
import random
import re

import tiktoken
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

names = ["english", "german", "russian", "japanese", "emoji", "spaces", "birds", "marks"]
texts = [open(f"../{n}.txt", encoding="utf-8", newline="").read() for n in names]
random.seed(1)


def escape(token):
    out = ""
    for c in token.decode("utf-8", "surrogateescape"):
        if 0xDC80 <= ord(c) <= 0xDCFF:
            out += "\\x%02X" % (ord(c) - 0xDC00)
        else:
            out += {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}.get(c, c)
    return out


def byte_map():
    own = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [b for b in range(256) if b not in own]
    return {**{chr(b): b for b in own}, **{chr(256 + i): b for i, b in enumerate(others)}}


BYTES = byte_map()
CHARACTERS = {b: c for c, b in BYTES.items()}


def hostile(words, letters):
    """Pre-tokens that no text has: runs, long ones, random ones."""
    made = [letters[0] * n for n in (1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 200)]
    for n in (5, 12, 14, 15, 16, 30, 31, 32, 40, 41, 60, 150):
        made += ["".join(random.choice(letters) for _ in range(n)) for _ in range(6)]
    made += ["".join(random.choice(words) for _ in range(n)) for n in (2, 3, 5, 9, 20, 40)]
    return made


def write(name, rows):
    with open(name + ".tsv", "w", encoding="utf-8", newline="") as f:
        for token, ids in dict(rows).items():
            f.write(escape(token) + "\t" + " ".join(ids) + "\n")


def pre_tokens(tokenizer):
    found = []
    for text in texts:
        if tokenizer.normalizer:
            text = tokenizer.normalizer.normalize_str(text)
        found += [p for p, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    return sorted(set(found))


def characters(name, tokenizer, most=350):
    words = pre_tokens(tokenizer)
    words = random.sample(words, min(most, len(words)))
    rows = []
    for word in words + hostile(words, "aeinrstö€鳥"):
        tokens = tokenizer.model.tokenize(word)
        rows.append((word.encode(), [f"{t.id}:{t.offsets[1]}" for t in tokens]))
    write(name, rows)


def byte_level(name, tokenizer, most=350):
    words = pre_tokens(tokenizer)
    words = random.sample(words, min(most, len(words)))
    raw = [bytes(BYTES[c] for c in w) for w in words]
    raw += [w.encode("utf-8", "surrogateescape") for w in hostile([r.decode("utf-8", "surrogateescape") for r in raw], " etaoin")]
    raw += [bytes([b]) for b in range(256)] + [random.randbytes(n) for n in range(2, 40)]
    rows = []
    for word in raw:
        tokens = tokenizer.model.tokenize("".join(CHARACTERS[b] for b in word))
        rows.append((word, [str(t.id) for t in tokens]))
    write(name, rows)


def save(name, tokenizer):
    text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    open(name + ".json", "w", encoding="utf-8").write(text + "\n")


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


# GPT-2's family, as tokenizer.json and as a folder
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
t.decoder = decoders.ByteLevel()
t = train(t, trainers.BpeTrainer(vocab_size=700, special_tokens=["<|end|>"], show_progress=False,
                                 initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
t.add_tokens(["<think>"])
save("bytes", t)
byte_level("bytes", t)
os.makedirs("gpt2", exist_ok=True)
t.model.save("gpt2")

# ignore_merges: a token that no merge makes
d = json.loads(t.to_str())
d["model"]["ignore_merges"] = True
for i, word in enumerate(["Ġetaoin", "birdbird", "Ġxyzzyxyzzyxyzzyxyzzy"]):
    d["model"]["vocab"][word] = len(d["model"]["vocab"]) + i + 1
d["added_tokens"] = [a for a in d["added_tokens"] if a["content"] != "<think>"]
t = Tokenizer.from_str(json.dumps(d))
save("whole", t)
byte_level("whole", t)

# Llama 2's family
t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                               decoders.Fuse(), decoders.Strip(" ", 1, 0)])
t = train(t, trainers.BpeTrainer(vocab_size=700, limit_alphabet=50, show_progress=False,
                                 special_tokens=["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]))
save("fallback", t)
characters("fallback", t)

# affixes, unknown characters joined or not
for name, fuse in (("affixes", True), ("unknown", False)):
    affix = {"continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"} if fuse else {}
    t = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=fuse, **affix))
    t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    t.decoder = decoders.BPEDecoder() if fuse else None
    t = train(t, trainers.BpeTrainer(vocab_size=600, limit_alphabet=60, show_progress=False,
                                     special_tokens=["[UNK]"], **affix))
    save(name, t)
    characters(name, t)

# BERT's family
t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
t.normalizer = normalizers.BertNormalizer()
t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
t.decoder = decoders.WordPiece()
t = train(t, trainers.WordPieceTrainer(vocab_size=700, limit_alphabet=80, show_progress=False,
                                       special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
save("wordpiece", t)
characters("wordpiece", t)
vocab = json.loads(t.to_str())["model"]["vocab"]

# SentencePiece's family
t = Tokenizer(models.Unigram())
t.pre_tokenizer = pre_tokenizers.Metaspace()
t.decoder = decoders.Metaspace()
t = train(t, trainers.UnigramTrainer(vocab_size=500, show_progress=False, unk_token="<unk>",
                                     special_tokens=["<unk>", "<s>"]))
save("unigram", t)
characters("unigram", t)

# .tiktoken: ranks in an order that no training gives
words = set()
while len(words) < 400:
    words.add(bytes(random.choice(b"abc ") for _ in range(random.randint(2, 9))))
order = [bytes([b]) for b in range(256)] + sorted(words)
random.shuffle(order)
ranks = {token: rank for rank, token in enumerate(order)}
with open("ranks.tiktoken", "wb") as f:
    for token, rank in ranks.items():
        f.write(base64.b64encode(token) + b" %d\n" % rank)
e = tiktoken.Encoding("ranks", pat_str=r"[\s\S]+", mergeable_ranks=ranks, special_tokens={})
raw = [bytes(random.choice(b"abc ") for _ in range(n)) for n in list(range(1, 60)) * 3 + [300, 1000]]
raw += sorted(words)[::4] + [b"a" * n for n in (50, 500)] + ["naïve 鳥".encode()]
write("ranks", [(r, [str(i) for i in e.encode_ordinary(r.decode())]) for r in raw])
