"""Writes files of gradients: good-* hold those of testdata/layer/gradients-0 in other forms, bad-* are
each wrong in one way."""
import json

import numpy

with open("testdata/layer/gradients-0.safetensors", "rb") as file:
    start = 8 + int.from_bytes(file.read(8), "little")
    data = file.read()[start - 8:]
ids = numpy.frombuffer(data[:320], "<i8")
gradients = numpy.frombuffer(data[320:], "<f4").reshape(40, 17)
NAMES = {"<u2": "U16", "<i4": "I32", "<u4": "U32", "<i8": "I64", "<u8": "U64", "<f4": "F32", "<f2": "F16",
         "<f8": "F64"}


def safetensors(name, **tensors):
    header, parts, at = {}, [], 0
    for tensor, array in tensors.items():
        header[tensor] = {"dtype": NAMES[array.dtype.str], "shape": list(array.shape),
                          "data_offsets": [at, at + array.nbytes]}
        parts.append(array.tobytes())
        at += array.nbytes
    text = json.dumps(header).encode()
    with open(name + ".safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


for dtype in ("<u2", "<i4", "<u4", "<u8"):
    safetensors("good-" + NAMES[dtype], ids=ids.astype(dtype), gradients=gradients)
    numpy.save("ids-" + NAMES[dtype] + ".npy", ids.astype(dtype))
safetensors("good-F16", gradients=gradients.astype("<f2"), ids=ids)
safetensors("good-batches", ids=ids.reshape(5, 8), gradients=gradients.reshape(5, 8, 17))
numpy.save("gradients.npy", gradients.reshape(4, 10, 17))
numpy.save("ids-batches.npy", ids.reshape(4, 10))

safetensors("bad-no-ids", gradients=gradients)
safetensors("bad-no-gradients", ids=ids)
safetensors("bad-float-ids", ids=ids.astype("<f4"), gradients=gradients)
safetensors("bad-doubles", ids=ids, gradients=gradients.astype("<f8"))
safetensors("bad-fewer-ids", ids=ids[:39], gradients=gradients)
safetensors("bad-flat", ids=ids, gradients=gradients.reshape(-1))
safetensors("bad-no-columns", ids=ids, gradients=gradients[:, :0])
safetensors("bad-columns", ids=ids, gradients=gradients[:, :16].copy())
safetensors("bad-negative", ids=numpy.where(ids == 3, -1, ids), gradients=gradients)
safetensors("bad-large", ids=numpy.where(ids == 3, 1 << 32, ids), gradients=gradients)
safetensors("bad-row", ids=numpy.where(ids == 3, 11, ids), gradients=gradients)
with open("bad-words.txt", "w", encoding="ascii") as file:
    file.write("1 2 3\n")
