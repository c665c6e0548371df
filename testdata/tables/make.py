#!/usr/bin/env python3
"""Makes the tables of this folder: the same five rows as each program writes them.

Needs numpy, gensim and safetensors (0.8); the tests need none of them. Run it in this folder. Numbers are
eighths, so that f16, bf16 and int8 (whose rows' scale is 1/8) hold them whole.
"""
import numpy
import safetensors
import safetensors.numpy
from gensim.models import KeyedVectors

WORDS = ["</s>", "the", "naïve", "鳥", "3.5"]
EIGHTHS = numpy.array([[(row * 7 + column * 11) % 41 - 20 for column in range(3)] for row in range(5)], "i1")
TABLE = EIGHTHS.astype("<f4") / 8


BFLOAT16 = (TABLE.view("<u4") >> 16).astype("<u2")


numpy.save("numpy.npy", TABLE)
numpy.save("numpy-f16.npy", TABLE.astype("<f2"))
with open("numpy-v2.npy", "wb") as file:
    numpy.lib.format.write_array(file, TABLE, version=(2, 0))

safetensors.numpy.save_file({"embeddings": TABLE}, "safetensors.safetensors")
safetensors.numpy.save_file({"embedding.weight": TABLE.astype("<f2"), "other": numpy.zeros((2, 2), "<f4")},
                            "safetensors-f16.safetensors", {"made": "by a test"})
safetensors.numpy.save_file({"embeddings": EIGHTHS, "scales": numpy.full(5, 1 / 8, "<f4")},
                            "safetensors-i8.safetensors")
tensor = safetensors.TensorSpec(dtype="bfloat16", shape=[5, 3], data_ptr=BFLOAT16.ctypes.data,
                                data_len=BFLOAT16.nbytes)
with open("safetensors-bf16.safetensors", "wb") as file:
    file.write(safetensors.serialize({"wte.weight": tensor}))

vectors = KeyedVectors(3)
vectors.add_vectors(WORDS, TABLE)
vectors.save_word2vec_format("gensim.bin", binary=True)
vectors.save_word2vec_format("gensim.vec")
vectors.save_word2vec_format("gensim.txt", write_header=False)

# fastText: five digits, a trailing space
with open("fasttext.vec", "w", encoding="utf-8") as file:
    file.write("5 3\n")
    for word, row in zip(WORDS, TABLE):
        file.write(word + " " + "".join("%.5g " % value for value in row) + "\n")
# word2vec.c: a line feed behind each row
with open("word2vec.bin", "wb") as file:
    file.write(b"5 3\n")
    for word, row in zip(WORDS, TABLE):
        file.write(word.encode() + b" " + row.tobytes() + b"\n")
