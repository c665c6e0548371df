#!/usr/bin/env python3
"""How fast rows are gathered on one thread, beside what does the same in the same run.

usage: gather.py EMBED LIBRARY [IDS [DISK-IDS [WIDE-IDS]]]

50,257 x 768 floats, ids by Zipf's law; every way is timed in turn, five rounds, medians.
- In memory, IDS (500,000; 0 leaves a part out): lxm_table_gather beside memcpy of the same bytes,
  numpy.take and torch.nn.Embedding; what each gives is compared.
- On disk, DISK-IDS (200,000): embed's shards beside dd conv=fsync of the same bytes, and numpy.take and
  numpy.save, with fsync and without; and where neither syncs, embed to redirected output beside those.
- Rows of 12,288 columns, WIDE-IDS (1,000,000), to /dev/null: beside the mapped table embed may hold 300 MB.
Files lie in the current folder, 4 GB; LEXMILL_BENCH_CPU=1 counts processor time in memory.
"""
import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROWS, DIM, WIDE, ROUNDS = 50257, 768, 12288, 5
clock = time.process_time if os.environ.get("LEXMILL_BENCH_CPU") else time.perf_counter


def zipf(numpy, count):
    """Ids whose frequency falls with their rank, the ranks spread over the table."""
    weights = 1 / numpy.arange(1, ROWS + 1)
    order = numpy.random.default_rng(1)
    ranks = numpy.searchsorted(numpy.cumsum(weights) / weights.sum(), order.random(count))
    return order.permutation(ROWS)[ranks.clip(0, ROWS - 1)].astype(numpy.uint32)


def open_table(library, path):
    table = ctypes.c_void_p()
    library.lxm_table_open.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p, ctypes.c_char_p,
                                       ctypes.c_void_p, ctypes.c_void_p]
    library.lxm_table_gather.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p,
                                         ctypes.c_void_p]
    if library.lxm_table_open(ctypes.byref(table), path.encode(), None, None, None):
        sys.exit("the table doesn't open")
    return table


def write_ids(path, ids):
    with open(path, "w", encoding="ascii") as file:
        for at in range(0, len(ids), 1000):
            file.write(" ".join(map(str, ids[at:at + 1000])) + "\n")


def tell(times, size, ours, what):
    median = {name: statistics.median(times[name]) for name in times}
    print(f"{what}, {size / 1e9:.1f} GB, medians of {ROUNDS}")
    for name in times:
        print(f"{name:26} {size / median[name] / 1e9:6.2f} GB/s   lexmill is {median[name] / median[ours]:5.2f} of it")


def in_memory(numpy, path, library, count):
    weights = numpy.load(path)
    ids = zipf(numpy, count)
    wide_ids = ids.astype(numpy.int64)
    size = count * DIM * 4
    want = weights[ids]
    out = numpy.zeros((count, DIM), "<f4")
    library = ctypes.CDLL(library)
    table = open_table(library, path)
    ways = {
        "memcpy": lambda: ctypes.memmove(out.ctypes.data, want.ctypes.data, size),
        "lxm_table_gather": lambda: library.lxm_table_gather(table, ids.ctypes.data, count, out.ctypes.data, None),
        "numpy.take, out=": lambda: numpy.take(weights, wide_ids, axis=0, out=out, mode="clip"),
        "numpy.take": lambda: numpy.take(weights, wide_ids, axis=0),
    }
    try:
        import torch
        torch.set_num_threads(1)
        layer = torch.nn.Embedding.from_pretrained(torch.from_numpy(weights))
        torch_ids, torch_out = torch.from_numpy(wide_ids), torch.from_numpy(out)
        ways["torch.index_select, out="] = lambda: torch.index_select(layer.weight, 0, torch_ids, out=torch_out)
        ways["torch.nn.Embedding"] = lambda: layer(torch_ids)
    except ImportError:
        print("torch isn't there: left out")
    times = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            if turn == 0:
                out[:] = 0
            begin = clock()
            result = way()
            spent = clock() - begin
            if turn == 0:
                given = out if result is None or isinstance(result, int) else numpy.asarray(result)
                assert (given == want).all(), name
            else:
                times[name].append(spent)
            del result
    tell(times, size, "lxm_table_gather", f"in memory, {count} ids, {ROWS} x {DIM} floats")


def on_disk(numpy, embed, path, count, folder):
    name = lambda file: os.path.join(folder, file)
    weights, ids = numpy.load(path), zipf(numpy, count).astype(numpy.int64)
    write_ids(name("ids"), ids)
    numpy.save(name("bytes"), weights[ids])

    def save(sync):
        with open(name("made.npy"), "wb") as file:
            numpy.save(file, numpy.take(weights, ids, axis=0))
            if sync:
                file.flush()
                os.fsync(file.fileno())

    def redirect():
        with open(name("copy"), "wb") as file:
            subprocess.run([embed, "-t", path, name("ids")], stdout=file, check=True)

    synced = {
        "embed, shards": lambda: subprocess.run([embed, "-t", path, "-o", name("shards"),
                                                 name("ids")], check=True),
        "dd conv=fsync": lambda: subprocess.run(["dd", "if=" + name("bytes.npy"), "of=" + name("copy"), "bs=1M",
                                                 "conv=fsync", "status=none"], check=True),
        "numpy.take, save, fsync": lambda: save(True),
        "  the same, not synced": lambda: save(False),
    }
    cached = {"embed > file": redirect, "numpy.take, save": lambda: save(False)}
    for ways, ours, what in (synced, "embed, shards", "on disk"), (cached, "embed > file", "not synced"):
        times = {way: [] for way in ways}
        for way in list(ways) * ROUNDS:
            os.sync()
            begin = time.perf_counter()
            ways[way]()
            times[way].append(time.perf_counter() - begin)
            for made in ("copy", "made.npy"):
                if os.path.exists(name(made)):
                    os.unlink(name(made))
            shutil.rmtree(name("shards"), ignore_errors=True)
        tell(times, count * DIM * 4, ours, f"{what}, {count} ids, {ROWS} x {DIM} floats")


def resident(pid):
    """Bytes that are no pages of a file."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return sum(int(lines[name].split()[0]) for name in ("RssAnon", "RssShmem") if name in lines) * 1024


def wide(numpy, embed, count, folder):
    path, ids = os.path.join(folder, "wide.npy"), os.path.join(folder, "ids")
    subprocess.run([embed, "init", "--rows", str(ROWS), "--dim", str(WIDE), "-o", path], check=True)
    write_ids(ids, zipf(numpy, count))
    most, begin = 0, time.perf_counter()
    with open("/dev/null", "wb") as null, subprocess.Popen([embed, "-t", path, ids], stdout=null) as job:
        while job.poll() is None:
            try:
                most = max(most, resident(job.pid))
            except (OSError, KeyError):
                pass
            time.sleep(0.02)
    assert job.returncode == 0
    spent = time.perf_counter() - begin
    print(f"{count} ids, {ROWS} x {WIDE} floats, to /dev/null: {count * WIDE * 4 / spent / 1e9:.2f} GB/s, "
          f"{most / 1e6:.0f} MB beside the mapped table")
    assert most < 300e6


def main():
    try:
        import numpy
    except ImportError:
        python = "/usr/bin/python3"
        if sys.executable != python and os.path.exists(python):
            os.execv(python, [python] + sys.argv)
        print("NumPy isn't there: nothing to hold against")
        return
    embed, library = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    counts = [int(text) for text in sys.argv[3:]] + [500000, 200000, 1000000][len(sys.argv) - 3:]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = os.path.join(folder, "table.npy")
        subprocess.run([embed, "init", "--rows", str(ROWS), "--dim", str(DIM), "-o", path], check=True)
        if counts[0]:
            in_memory(numpy, path, library, counts[0])
        if counts[1]:
            on_disk(numpy, embed, path, counts[1], folder)
        if counts[2]:
            wide(numpy, embed, counts[2], folder)


main()
