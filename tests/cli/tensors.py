"""Prints what a .npy, a .safetensors file or a folder of shards holds, as a stranger would read it: with
NumPy alone. usage: tensors.py PATH [NAME]: the shapes, or the numbers of one tensor."""
import json
import os
import sys

import numpy

TYPES = {"F32": "<f4", "I32": "<i4", "I64": "<i8", "U8": "|u1"}


def safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors, used = {}, 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = tensor["data_offsets"]
        assert begin == used, f"a hole before {name}"
        used = end
        part = data[8 + length + begin:8 + length + end]
        tensors[name] = numpy.frombuffer(part, TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    assert 8 + length + used == len(data), "bytes behind the last tensor"
    return tensors


def arrays(path):
    """One .npy array after another."""
    found = []
    with open(path, "rb") as file:
        while file.peek(1):
            found.append(numpy.lib.format.read_array(file))
    return found


def read(path):
    if os.path.isdir(path):
        with open(os.path.join(path, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        shards = [safetensors(os.path.join(path, shard["file"])) for shard in manifest["shards"]]
        for shard, tensors in zip(manifest["shards"], shards):
            assert all(len(tensor) == shard["rows"] for tensor in tensors.values())
            assert os.path.getsize(os.path.join(path, shard["file"])) == shard["bytes"]
        assert sum(shard["rows"] for shard in manifest["shards"]) == manifest["rows"]
        return {name: numpy.concatenate([tensors[name] for tensors in shards])
                for name in (shards[0] if shards else {})}
    if path.endswith(".safetensors"):
        return safetensors(path)
    found = arrays(path)
    return {f"array {i}": array for i, array in enumerate(found)}


tensors = read(sys.argv[1])
if len(sys.argv) > 2:
    for row in tensors[sys.argv[2]]:
        print(*row.ravel())
else:
    for name in sorted(tensors):
        print(name, tensors[name].dtype.str, *tensors[name].shape)
