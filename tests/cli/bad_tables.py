"""Writes files bad-* that are nearly tables, each wrong in one way."""
import json

import numpy


def write(name, data):
    with open("bad-" + name, "wb") as file:
        file.write(data)


def npy(header, data=b"\0" * 24, version=1, length=None):
    text = header.encode() if isinstance(header, str) else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    size = (len(text) if length is None else length).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


def safetensors(header, data=b"\0" * 24, length=None):
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape=(3, 2), offsets=(0, 24)):
    return {"t": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
write("npy-cut.npy", npy(GOOD, b"\0" * 23))
write("npy-cut-header.npy", npy(GOOD)[:40])
write("npy-longer.npy", npy(GOOD, b"\0" * 25))
write("npy-fortran.npy", npy(GOOD.replace("False", "True")))
write("npy-double.npy", npy(GOOD.replace("<f4", "<f8"), b"\0" * 48))
write("npy-big-endian.npy", npy(GOOD.replace("<f4", ">f4")))
write("npy-one-dimension.npy", npy(GOOD.replace("(3, 2)", "(6,)")))
write("npy-overflow.npy", npy(GOOD.replace("(3, 2)", "(4611686018427387904, 4)")))
write("npy-negative.npy", npy(GOOD.replace("(3, 2)", "(-3, -2)")))
write("npy-no-dictionary.npy", npy("(3, 2)"))
write("npy-header-length.npy", npy(GOOD, length=60000))
write("st-cut.safetensors", safetensors(tensor(), b"\0" * 23))
write("st-longer.safetensors", safetensors(tensor(), b"\0" * 25))
write("st-lies.safetensors", safetensors(tensor(shape=(300, 2))))
write("st-overflow.safetensors", safetensors(tensor(shape=(1 << 62, 4), offsets=(0, 0)), b""))
write("st-outside.safetensors", safetensors(tensor(offsets=(24, 48))))
write("st-header-length.safetensors", safetensors(tensor(), length=1 << 62))
write("st-no-json.safetensors", safetensors("{\"t\": {\"dtype\": "))
