#!/usr/bin/env python3
"""Makes the tokenizer.json files of this folder, one for each family, and what they make of the
texts beside it and of hostile ones.

Needs tokenizers and sentencepiece from PyPI; the tests need neither. Run it in this folder.
hostile.jsonl has a text a line. NAME.jsonl has a line for each file ../*.txt in order of their
names, then for each hostile text: the ids with all special tokens named, the ids where none is
(left out for Unigram, whose peer finds special tokens in plain text), and the text that the first
come back to without special tokens (left out where it isn't UTF-8 as a whole).
"""
import glob
import json
import os
import random
import tempfile
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

files = sorted(glob.glob("../*.txt"))
texts = [open(f, encoding="utf-8", newline="").read() for f in files]
random.seed(7)


# ---- hostile texts ----

PARTS = ["<s>", "</s>", "<unk>", "<mask>", "<x>", "[CLS]", "[MASK]", "[E1]", "[e1]", "[E2]",
         "<|im|>", "<think>", "</think>", "birds", "BIRDS", "Bird", "bird", "Été", "été", "the", "the ",
         "The", " of", "\n\n", "▁", "▁▁", " ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\u00a0",
         "\u3000", "\u2003", "\u200b", "\u200d", "\ufeff", "\u00ad", "\0", "\x01", "\x1f", "\x7f",
         "\x85", "ﬁ", "ﬀ", "①", "½", "Ａ", "ａ", "ｶﾞ", "か\u3099", "e\u0301", "\u0301", "é", "ß", "İ",
         "ı", "ſ", "ΑΣ", "क्ष", "ख़", "ொ", "각", "\u1100\u1161\u11a8", "\u11a8", "👩‍👩‍👧", "🇩🇪", "🇩",
         "👍🏽", "\ufe0f", "㎏", "㍿", "ﷺ", "…", "``", "''", "'", "\"", "a", "Z", "0", "9", "日本", "語",
         "مرحبا", "ไทย", "กำ", "\u0e33", "\U0001d400", "\u0600", "\u0661", "\U000110bd", "_", "-", ".",
         "\ufffd", "\u2028", "\u0345", "ﬁ\u0301", "①\u0301", " \u0301", "\ud7a3\u11a8", "Ⓐ", "<0x41>"]


def hostile_text():
    """Characters at random are of Unicode 3.2: peers differ in what came later."""
    made = ""
    for _ in range(random.randrange(1, 12)):
        c = chr(random.choice([random.randrange(32, 0x250), random.randrange(0x250, 0xd800),
                               random.randrange(0xe000, 0x20000)]))
        known = unicodedata.ucd_3_2_0.category(c) != "Cn"
        made += c if known and random.random() < .2 else random.choice(PARTS)
    return made


hostile = [hostile_text() for _ in range(120)]
hostile += ["", " ", "▁", "a" * 300, " " * 70, "\u0301" * 40, "<mask>" * 5, " <mask> <mask> ", "ﬁ" * 20]
with open("hostile.jsonl", "w", encoding="utf-8") as f:
    f.writelines(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in hostile)


# ---- writing ----

def save(name, tokenizer, **changes):
    whole = json.loads(tokenizer.to_str())
    whole.update(changes)
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    open(name + ".json", "w", encoding="utf-8").write(text + "\n")
    tokenizer = Tokenizer.from_str(text)
    unigram = whole["model"]["type"] == "Unigram"
    with open(name + ".jsonl", "w", encoding="utf-8") as f:
        for t in texts + hostile:
            tokenizer.encode_special_tokens = False
            row = {"named": tokenizer.encode(t, add_special_tokens=False).ids}
            back = tokenizer.decode(row["named"], skip_special_tokens=True)
            normal = [tokenizer.token_to_id(a["content"]) for a in whole["added_tokens"] if a["normalized"]]
            # the peer shows normalised tokens as they look in normalised text
            if "\ufffd" not in back and not any(i in normal for i in row["named"]):
                row["text"] = back
            tokenizer.encode_special_tokens = True
            if not unigram:
                row["plain"] = tokenizer.encode(t, add_special_tokens=False).ids
            if row.get("plain") == row["named"]:
                del row["plain"]
            f.write(json.dumps(row, separators=(",", ":")) + "\n")


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


# ---- BERT's family ----

t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
t.normalizer = normalizers.BertNormalizer()
t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
t.decoder = decoders.WordPiece()
t = train(t, trainers.WordPieceTrainer(vocab_size=500, limit_alphabet=120, show_progress=False,
                                       special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
t.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
save("bert", t)
t.add_tokens([AddedToken("BIRDS", single_word=True), AddedToken("Été", rstrip=True),
              AddedToken("the", normalized=False, lstrip=True)])
t.add_special_tokens([AddedToken("[E1]", normalized=True), AddedToken("[E2]", rstrip=True, lstrip=True)])
t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
save("bert-added", t)


# ---- GPT-2's, Llama 3's, Qwen's ----

def byte_level(name, normalizer, pre_tokenizer, post_processor):
    t = Tokenizer(models.BPE())
    t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    t.decoder = decoders.ByteLevel()
    t = train(t, trainers.BpeTrainer(vocab_size=500, show_progress=False, special_tokens=["<s>", "</s>"],
                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_tokens([AddedToken("<think>", normalized=False), AddedToken("bird", single_word=True),
                  AddedToken("   ", normalized=False)])
    t.add_special_tokens([AddedToken("<|im|>"), AddedToken("<mask>", lstrip=True)])
    t.post_processor = post_processor
    save(name, t)


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
begin = processors.TemplateProcessing(single="<s> $A", pair="$A $B", special_tokens=[("<s>", 0)])
byte_level("llama3", normalizers.NFC(),
           pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
           processors.Sequence([processors.ByteLevel(trim_offsets=False), begin]))
byte_level("roberta", None, pre_tokenizers.ByteLevel(add_prefix_space=True),
           processors.RobertaProcessing(("</s>", 1), ("<s>", 0)))


# ---- Llama 2's, Mistral's, Gemma's: sentencepiece's BPE ----

def marks(name, normalizer, pre_tokenizer, strip):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    special = ["<unk>", "<s>", "</s>"]
    t = train(t, trainers.BpeTrainer(vocab_size=600, limit_alphabet=60, show_progress=False,
                                     special_tokens=special + ["<0x%02X>" % b for b in range(256)]))
    whole = json.loads(t.to_str())
    whole["added_tokens"] = whole["added_tokens"][:len(special)]
    t = Tokenizer.from_str(json.dumps(whole))
    t.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("▁▁", normalized=False),
                  AddedToken("<x>"), AddedToken("birds", single_word=True, normalized=False)])
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    t.decoder = decoders.Sequence(parts + ([decoders.Strip(" ", 1, 0)] if strip else []))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="$A $B",
                                                     special_tokens=[("<s>", 1)])
    state = lambda part: json.loads(part.__getstate__()) if part else None
    save(name, t, normalizer=state(normalizer), pre_tokenizer=state(pre_tokenizer))


marks("llama2", normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, True)
marks("mistral", None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), True)
marks("gemma", normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"), False)


# ---- XLM-R's, T5's, ALBERT's: sentencepiece's Unigram ----

def rules():
    """A part of nmt_nfkc that fits a small file: what the texts above are made of."""
    made = {}
    for c in [chr(c) for c in [*range(0xa0, 0x180), *range(0x1100, 0x1120), *range(0x1161, 0x1170),
                               *range(0x2460, 0x2470), *range(0x3041, 0x30ff), *range(0xac00, 0xac20),
                               *range(0xfb00, 0xfb07), *range(0xff01, 0xffa0), 0x33cf, 0x337f, 0xfdfa,
                               0x2026, 0x1d400, 0x3000, 0x2003]]:
        for spelling in {c, unicodedata.normalize("NFD", c)}:
            if unicodedata.normalize("NFKC", c) != spelling:
                made[spelling] = unicodedata.normalize("NFKC", c)
    for c in [*range(1, 9), 0xb, *range(0xe, 0x20), 0x7f, 0xad, 0x200b]:
        made[chr(c)] = ""
    for c in "\t\n\r\u0085\u2028\ufeff":
        made[c] = " "
    return "".join(" ".join("%X" % ord(c) for c in k) + "\t" + " ".join("%X" % ord(c) for c in v) + "\n"
                   for k, v in sorted(made.items()))


def unigram():
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("rules.tsv", rules()), ("texts.txt", "\n".join(texts))):
            open(os.path.join(folder, name), "w", encoding="utf-8").write(content)
        sentencepiece.SentencePieceTrainer.train(
            input=os.path.join(folder, "texts.txt"), model_prefix=os.path.join(folder, "m"),
            normalization_rule_tsv=os.path.join(folder, "rules.tsv"), vocab_size=500,
            model_type="unigram", character_coverage=0.98, hard_vocab_limit=False, minloglevel=2)
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(open(os.path.join(folder, "m.model"), "rb").read())
    return model


model = unigram()
precompiled = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)


def marks_of_words(name, normalizer, pre_tokenizer, scheme):
    t = Tokenizer(models.Unigram([(p.piece, round(p.score, 4)) for p in model.pieces], 0, False))
    t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    t.decoder = decoders.Metaspace(prepend_scheme=scheme)
    t.add_special_tokens([AddedToken("<s>"), AddedToken("</s>"), AddedToken("<unk>"),
                          AddedToken("<mask>", lstrip=True)])
    t.add_tokens([AddedToken("birds", single_word=True), AddedToken("Bird", rstrip=True, lstrip=True)])
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    save(name, t)


spaces = normalizers.Replace(Regex(" {2,}"), " ")
marks_of_words("t5", precompiled, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                           pre_tokenizers.Metaspace()]), "always")
marks_of_words("xlmr", normalizers.Sequence([precompiled, spaces]),
               pre_tokenizers.Metaspace(prepend_scheme="always"), "always")
marks_of_words("t5-new", normalizers.Sequence([precompiled, normalizers.Strip(left=False, right=True),
                                               normalizers.Replace(Regex(" {2,}"), "▁")]),
               pre_tokenizers.Metaspace(prepend_scheme="first"), "first")
marks_of_words("albert", normalizers.Sequence([
    normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
    normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(), precompiled, spaces]),
    pre_tokenizers.Metaspace(prepend_scheme="always"), "always")
