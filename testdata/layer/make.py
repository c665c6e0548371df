#!/usr/bin/env python3
"""Makes the tables of this folder: what PyTorch's sparse embedding comes to after three steps.

Needs torch and numpy; the tests need neither. Run it in this folder. Ids and gradients come from
whole numbers, by a rule that the tests know too; table.npy is what all begin with.
"""
import json

import numpy
import torch

ROWS, DIM, IDS, STEPS = 11, 17, 40, 3


def ids(step):
    return torch.tensor([(i * i * 3 + step * 5 + i) % ROWS for i in range(IDS)])


def gradients(step):
    return torch.tensor([[((i * 7 + j * 3 + step * 11) % 19 - 9) / 8 for j in range(DIM)] for i in range(IDS)])


def table():
    return torch.tensor([[((i * 5 + j * 13) % 31 - 15) / 16 for j in range(DIM)] for i in range(ROWS)])


def learn(make, **arguments):
    layer = torch.nn.Embedding(ROWS, DIM, sparse=True, _weight=table(), **arguments)
    optimizer = make(layer.parameters())
    for step in range(STEPS):
        optimizer.zero_grad()
        layer(ids(step)).backward(gradients(step))
        optimizer.step()
    return layer.weight.detach().numpy()


def save_gradients(name, step):
    """`ids` I64 and `gradients` F32, as safetensors.torch.save_file lays them out."""
    tensors = [("ids", "I64", ids(step).numpy()), ("gradients", "F32", gradients(step).numpy())]
    header, at = {}, 0
    for tensor, dtype, array in tensors:
        header[tensor] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(name, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for _, _, array in tensors))


sgd, adagrad, adam = torch.optim.SGD, torch.optim.Adagrad, torch.optim.SparseAdam
numpy.save("table.npy", table().numpy())
numpy.save("sgd.npy", learn(lambda p: sgd(p, lr=0.25)))
numpy.save("padding.npy", learn(lambda p: sgd(p, lr=0.25), padding_idx=4))
numpy.save("momentum.npy", learn(lambda p: sgd(p, lr=0.1, momentum=0.9)))
numpy.save("adagrad.npy", learn(lambda p: adagrad(p)))
numpy.save("adagrad-decay.npy", learn(
    lambda p: adagrad(p, lr=0.5, lr_decay=0.25, initial_accumulator_value=0.75, eps=1e-3)))
numpy.save("adam.npy", learn(lambda p: adam(list(p))))
numpy.save("adam-betas.npy", learn(lambda p: adam(list(p), lr=0.125, betas=(0.5, 0.75), eps=1e-2)))
for step in range(STEPS):
    save_gradients(f"gradients-{step}.safetensors", step)
