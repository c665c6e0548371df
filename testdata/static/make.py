#!/usr/bin/env python3
"""Makes the models of this folder and what the programs they are for make of texts.jsonl.

usage: make.py, with model2vec, tokenizers and safetensors. The suite needs none of them.
"""
import json
import os
import random

import numpy as np
from model2vec import StaticModel
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
BIRDS = os.path.join(HERE, "..", "birds.txt")
ADDED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train([BIRDS], trainers.WordPieceTrainer(vocab_size=320, special_tokens=ADDED,
                                                       show_progress=False))
    return tokenizer


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train([BIRDS], trainers.BpeTrainer(vocab_size=400, special_tokens=["<|endoftext|>"],
                                                 initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                 show_progress=False))
    return tokenizer


def texts():
    """Lines of the birds, and what makes a difference: nothing, unknown words, added tokens, marks,
    more than the maximum of tokens, and of characters."""
    with open(BIRDS, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    words = " ".join(lines).split()
    chance = random.Random(5)
    made = lines[:12] + ["", " ", "\u26f5", "\u26f5 \u26f5 robin", "[MASK] robin [UNK] [PAD]",
                         "R\u00e9d R\u00d6BIN\u2019s n\u0115st", "\u9ce5 in \u6771\u4eac",
                         "tab\tand\nnewline", "<|endoftext|>the end<|endoftext|>"]
    made.append(" ".join(chance.choices(words, k=700)))
    made.append(" ".join(chance.choices([word for word in words if len(word) > 7], k=900)))
    made.append("a " * 2000)
    made.append("robin" * 100)
    return made


def rows(count, dim, seed):
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def put(name, tokenizer, tensors, config):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    save_file(tensors, os.path.join(folder, "model.safetensors"))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
        file.write("\n")
    return folder


def expect(name, vectors):
    with open(os.path.join(HERE, name + ".tsv"), "w", encoding="utf-8") as file:
        for vector in vectors:
            file.write(" ".join(f"{float(value):.9g}" for value in vector) + "\n")


def sentence_transformers(tokenizer, table, documents):
    """Its StaticEmbedding is the mean of all rows, without limits; then Normalize."""
    folder = put("sentence-transformers/0_StaticEmbedding", tokenizer, {"embedding.weight": table}, {})
    os.remove(os.path.join(folder, "config.json"))
    modules = [{"idx": 0, "name": "0", "path": "0_StaticEmbedding",
                "type": "sentence_transformers.models.StaticEmbedding"},
               {"idx": 1, "name": "1", "path": "1_Normalize",
                "type": "sentence_transformers.models.Normalize"}]
    with open(os.path.join(HERE, "sentence-transformers", "modules.json"), "w", encoding="utf-8") as file:
        json.dump(modules, file)
        file.write("\n")
    vectors = np.zeros((len(documents), table.shape[1]))
    for i, document in enumerate(documents):
        ids = tokenizer.encode(document, add_special_tokens=False).ids
        if ids:
            vectors[i] = table[ids].astype(np.float64).mean(axis=0)
            vectors[i] /= max(np.linalg.norm(vectors[i]), 1e-12)
    expect("sentence-transformers", vectors)


def main():
    documents = texts()
    with open(os.path.join(HERE, "texts.jsonl"), "w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps({"text": document}) + "\n")
    pieces, bytes_ = wordpiece(), byte_level()
    size = pieces.get_vocab_size()
    put("model2vec", pieces, {"embeddings": rows(size, 8, 1)},
        {"model_type": "model2vec", "normalize": True, "hidden_dim": 8, "seq_length": 1000000})
    put("quantized", pieces, {"embeddings": rows(40, 4, 2),
                              "mapping": (np.arange(size) * 7 % 40).astype(np.int32),
                              "weights": np.abs(rows(size, 1, 3)[:, 0]).astype(np.float64)},
        {"model_type": "model2vec", "normalize": False, "max_length": 20})
    put("byte-level", bytes_, {"embeddings": rows(bytes_.get_vocab_size(), 4, 4)},
        {"model_type": "model2vec", "normalize": True, "max_length": None})
    for name in ("model2vec", "quantized", "byte-level"):
        expect(name, StaticModel.from_pretrained(os.path.join(HERE, name)).encode(documents))
    sentence_transformers(pieces, rows(size, 4, 5), documents)


if __name__ == "__main__":
    main()
