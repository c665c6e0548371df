#!/usr/bin/env python3
"""Folders of ids as nanoGPT, llm.c, Megatron-LM, NumPy and safetensors read them, field by field; and
folders of both kinds, of ids and of vectors, through kills, full disks, damage and other runs.

usage: shards.py --build BUILD      Output is TAP, for meson. Without NumPy it is skipped.
"""
import argparse
import glob
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

try:
    import numpy
except ImportError:
    system = "/usr/bin/python3"  # which may have what this one lacks
    if sys.executable != system and subprocess.run([system, "-c", "import numpy"], capture_output=True,
                                                   check=False).returncode == 0:
        os.execv(system, [system] + sys.argv)
    print("1..0 # SKIP there is no NumPy")
    sys.exit(0)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYOUTS = ("nanogpt", "llmc", "megatron", "npy", "safetensors")
EOT = 7
build = scratch = ""
tests = []


def test(function):
    tests.append(function)
    return function


def program(arguments):
    return [os.path.join(build, arguments[0])] + [str(argument) for argument in arguments[1:]]


def run(arguments, data=b"", status=0, limit=None):
    """The standard error. `limit`: most bytes of a file, after which the disk is full."""
    def prepare():
        if limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run(program(arguments), input=data, capture_output=True, timeout=120,
                          cwd=scratch, preexec_fn=prepare)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}: {done.stderr.decode()}")
    return done.stderr.decode()


def output(arguments, data=b""):
    return subprocess.run(program(arguments), input=data, capture_output=True, check=True,
                          cwd=scratch).stdout


def path(*names):
    return os.path.join(scratch, *names)


def text_of(documents):
    return "".join(" ".join(map(str, document)) + "\n" for document in documents).encode()


def remove(folder):
    shutil.rmtree(path(folder), ignore_errors=True)


def snapshot(folder):
    found = {}
    for name in sorted(os.listdir(path(folder))):
        with open(path(folder, name), "rb") as file:
            found[name] = file.read()
    return found


# ---- readers: each gives the ids of all shards, and the documents where the layout has them ----

def manifest_of(folder):
    with open(path(folder, "manifest.json"), encoding="utf-8") as file:
        return json.load(file)


def shards_of(folder):
    return [path(folder, shard["file"]) for shard in manifest_of(folder)["shards"]]


def read_nanogpt(folder):
    return [numpy.memmap(name, dtype=numpy.uint16, mode="r") for name in shards_of(folder)], None


def read_llmc(folder):
    """As llm.c's loaders check a file: magic, version, and that its size is what the header says."""
    found = []
    for name in shards_of(folder):
        header = numpy.fromfile(name, dtype="<i4", count=256)
        dtype = {(20240520, 1): "<u2", (20240801, 7): "<u4"}[(header[0], header[1])]
        assert not header[3:].any()
        size = numpy.dtype(dtype).itemsize
        assert os.path.getsize(name) == 256 * 4 + int(header[2]) * size
        found.append(numpy.fromfile(name, dtype=dtype, offset=1024))
    return found, None


def read_megatron(folder):
    found, documents = [], []
    for name in shards_of(folder):
        with open(name[:-4] + ".idx", "rb") as file:
            index = file.read()
        assert index[:9] == b"MMIDIDX\x00\x00"
        version, code, sequences, ends = struct.unpack_from("<QBQQ", index, 9)
        dtype = {8: numpy.uint16, 4: numpy.int32}[code]
        assert version == 1 and ends == sequences + 1
        lengths = numpy.frombuffer(index, numpy.int32, sequences, 34)
        pointers = numpy.frombuffer(index, numpy.int64, sequences, 34 + lengths.nbytes)
        order = numpy.frombuffer(index, numpy.int64, ends, 34 + lengths.nbytes + pointers.nbytes)
        assert len(index) == 34 + lengths.nbytes + pointers.nbytes + order.nbytes
        assert (order == numpy.arange(sequences + 1)).all()
        with open(name, "rb") as file:
            ids = file.read()
        assert len(ids) == int(lengths.sum()) * dtype().itemsize
        parts = [numpy.frombuffer(ids, dtype, length, pointer) for length, pointer in zip(lengths, pointers)]
        documents += [part.tolist() for part in parts]
        found += parts
    return found, documents


def read_npy(folder):
    return [numpy.load(name, allow_pickle=False) for name in shards_of(folder)], None


def read_safetensors(folder):
    found, documents = [], []
    for name in shards_of(folder):
        with open(name, "rb") as file:
            data = file.read()
        start = 8 + int.from_bytes(data[:8], "little")
        tensors = {}
        for tensor, entry in json.loads(data[8:start]).items():
            begin, end = entry["data_offsets"]
            dtype = {"U16": "<u2", "I32": "<i4", "I64": "<i8", "U8": "|u1"}[entry["dtype"]]
            tensors[tensor] = numpy.frombuffer(data[start + begin:start + end], dtype)
            assert list(tensors[tensor].shape) == entry["shape"]
        ids, ends = tensors["ids"], tensors["documents"]
        assert ends[0] == 0 and ends[-1] == len(ids)
        documents += [ids[a:b].tolist() for a, b in zip(ends[:-1], ends[1:])]
        found.append(ids)
    return found, documents


READERS = {"nanogpt": read_nanogpt, "llmc": read_llmc, "megatron": read_megatron, "npy": read_npy,
           "safetensors": read_safetensors}


def check(layout, folder, documents, eot, width):
    """What a reader finds is the documents, with the end-of-text id where the layout has it."""
    before = [eot] if layout == "llmc" and eot is not None else []
    after = [eot] if layout != "llmc" and eot is not None else []
    want = [before + document + after for document in documents if document]
    found, got = READERS[layout](folder)
    assert numpy.concatenate(found).tolist() == sum(want, []), layout
    assert got is None or got == want, layout
    assert all(part.dtype.itemsize * 8 == width for part in found)
    manifest = manifest_of(folder)
    assert manifest["tokens"] == sum(map(len, want)) == sum(s["tokens"] for s in manifest["shards"])
    assert manifest["documents"] == len(want) and manifest["width"] == width
    assert manifest["eot"] == eot
    run(["embed", "verify", folder])


@test
def each_layout_is_what_its_reader_reads():
    source = random.Random(1)
    documents = [[source.randrange(65536) for _ in range(source.choice((0, 1, 2, 30, 900)))]
                 for _ in range(60)]
    for layout in LAYOUTS:
        for width in (16, 32)[:1 if layout == "nanogpt" else 2]:
            for eot in (EOT, None):
                for size in (1, 100, 1000, 10 ** 6):
                    if size == 1 and layout in ("nanogpt", "llmc", "npy"):
                        documents_now = documents[:6]
                    else:
                        documents_now = documents
                    remove("x")
                    run(["idmap", "--ids", "--to", layout, "--width", width, "--shard-size", size, "-o", "x"]
                        + (["--eot", eot] if eot is not None else ["--no-eot"]), text_of(documents_now))
                    check(layout, "x", documents_now, eot, width)


@test
def widths_and_their_edges():
    cases = [("nanogpt", 16, 65535), ("llmc", 16, 65535), ("llmc", 32, 2 ** 32 - 1),
             ("megatron", 16, 65535), ("megatron", 32, 2 ** 31 - 1), ("npy", 16, 65535),
             ("npy", 32, 2 ** 32 - 1), ("safetensors", 16, 65535), ("safetensors", 32, 2 ** 31 - 1)]
    for layout, width, most in cases:
        arguments = ["idmap", "--ids", "--to", layout, "--width", width, "--no-eot", "-o", "x"]
        remove("x")
        run(arguments, text_of([[0, most], [most, 1]]))
        check(layout, "x", [[0, most], [most, 1]], None, width)
        remove("x")
        message = run(arguments, text_of([[1], [2, most + 1]]), 1)
        if most == 2 ** 32 - 1:
            assert message.startswith("idmap: standard input:2: byte 4: an id doesn't fit 32 bits"), message
        else:
            assert message.startswith(f"idmap: standard input:2: id {most + 1} doesn't fit"), message
        assert not os.path.exists(path("x"))
        message = run(arguments[:-3] + ["--eot", most + 1, "-o", "x"], text_of([[1]]), 2)
        assert "--eot" in message or "end-of-text" in message, message


@test
def a_vocabulary_that_does_not_fit_is_refused_before_anything_is_written():
    tokens = "\n".join(map(str, range(65537))).encode() + b"\n"
    run(["idmap", "--save", "v65537", "-o", "ids"], tokens)
    run(["idmap", "--save", "v65536", "-o", "ids"], tokens[:-6])
    for layout in LAYOUTS:
        arguments = ["idmap", "--to", layout, "--width", "16", "--no-eot", "-o", "x"]
        remove("x")
        message = run(arguments + ["-V", "v65537"], b"1\n", 2)
        assert "65537 tokens doesn't fit" in message, message
        assert not os.path.exists(path("x"))
        run(arguments + ["-V", "v65536"], b"65535\n0\n")
        check(layout, "x", [[65535, 0]], None, 16)
        if layout != "nanogpt":
            remove("x")
            run(arguments[:3] + arguments[5:] + ["-V", "v65537"], b"65536\n")
            check(layout, "x", [[65536]], None, 32)


def same_folders(one, other):
    one, other = snapshot(one), snapshot(other)
    assert sorted(one) == sorted(other)
    for name in one:
        assert one[name] == other[name], name


@test
def tokens_ids_and_text_give_the_same_folder():
    text = open(os.path.join(ROOT, "testdata", "birds.txt"), "rb").read()
    for form in ([], ["-b"]):
        tokens = output(["tokenize", "-d", "line"] + form, text)
        output(["idmap", "build", "--special", "<|endoftext|>", "-o", "vocab"], tokens)
        for layout in LAYOUTS:
            rest = ["--to", layout, "--shard-size", 400, "-V", "vocab"]
            for folder in "abcd":
                remove(folder)
            run(["idmap", "-o", "a"] + rest, output(["tokenize", "-d", "line", "-b"], text))
            run(["idmap", "-o", "b", "-j", "1"] + rest, output(["idmap", "-V", "vocab", "-b"],
                                                               output(["tokenize", "-d", "line", "-b"], text)))
            run(["lexmill", "-d", "line", "-o", "c"] + rest, text)
            same_folders("a", "b")
            same_folders("a", "c")
            eot = manifest_of("a")["eot"]
            line = output(["idmap", "-V", "vocab"], b"<|endoftext|>\n")
            assert eot == int(line), "the vocabulary's own end-of-text id"
            run(["idmap", "-o", "d"] + rest, tokens)
            documents = [list(map(int, line.split())) for line in
                         output(["idmap", "-V", "vocab"], tokens).decode().splitlines()]
            check(layout, "d", documents, eot, 32 if layout in ("npy", "safetensors") else 16)


# ---- runs that don't end ----

def jobs():
    """name, arguments without -o, standard input"""
    source = random.Random(2)
    words = "".join(source.choice(("crow ", "wren ", "owl, ", "owl\n")) for _ in range(60000)).encode()
    ids = text_of([[source.randrange(500) for _ in range(300)] for _ in range(200)])
    output(["idmap", "build", "-o", "small"], output(["tokenize"], words))
    rest = ["--eot", "0", "--shard-size", "2000"]
    return [("lexmill", ["lexmill", "-V", "small", "-d", "line", "--to", "nanogpt"] + rest, words),
            ("idmap", ["idmap", "-V", "small", "--to", "megatron"] + rest, output(["tokenize", "-d", "line"], words)),
            ("idmap that grows", ["idmap", "--to", "llmc"] + rest, output(["tokenize", "-d", "line"], words)),
            ("idmap of ids", ["idmap", "--ids", "--to", "safetensors"] + rest, ids),
            ("embed", ["embed", "--dim", "16", "--context", "8", "--shard-size", "64K"], ids),
            ("embed pooled", ["embed", "--dim", "64", "--pool", "mean", "--shard-size", "4K", "--batch", "4"], ids)]


def run_and_kill(arguments, data, seconds):
    process = subprocess.Popen(program(arguments), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=scratch)
    timer = time.monotonic() + seconds
    writer = os.fork()
    if writer == 0:
        try:
            process.stdin.write(data)
            process.stdin.close()
        except OSError:
            pass
        os._exit(0)
    process.stdin.close()
    time.sleep(max(0, timer - time.monotonic()))
    process.kill()
    os.waitpid(writer, 0)
    return process.wait() == -signal.SIGKILL


@test
def a_run_that_is_killed_goes_on_and_gives_the_same_bytes():
    source = random.Random(3)
    for name, arguments, data in jobs():
        remove("whole")
        began = time.monotonic()
        run(arguments + ["-o", "whole"], data)
        length = time.monotonic() - began
        for _ in range(10):
            remove("x")
            for _ in range(3):
                if not run_and_kill(arguments + ["-o", "x", "--resume"], data, source.random() * length):
                    break
            run(arguments + ["-o", "x", "--resume"], data)
            same_folders("whole", "x")
        # once more: nothing is left to do; other ids are told
        run(arguments + ["-o", "x", "--resume"], data)
        same_folders("whole", "x")
        other = data.replace(b"crow", b"wren", 1) if b"crow" in data else b"1" + data
        message = run(arguments + ["-o", "x", "--resume"], other, 1)
        assert "not those of the run that was stopped" in message, (name, message)
        same_folders("whole", "x")


@test
def a_full_disk_leaves_nothing_or_what_a_resumed_run_goes_on_with():
    for name, arguments, data in jobs():
        remove("whole")
        run(arguments + ["-o", "whole"], data)
        files = snapshot("whole")
        largest = max(len(files[file]) for file in files if file != "manifest.json")
        for limit in (largest - 1, largest // 2):
            remove("x")
            message = run(arguments + ["-o", "x"], data, 1, limit)
            assert "File too large" in message and message.count("\n") == 1, (name, message)
            assert not os.path.exists(path("x")), name
            run(arguments + ["-o", "x", "--resume"], data, 1, limit)
            run(arguments + ["-o", "x", "--resume"], data)
            same_folders("whole", "x")


@test
def a_finished_folder_is_replaced_by_force_alone():
    everything = jobs()
    for name, arguments, data in everything:
        remove("x")
        run(arguments + ["-o", "x"], data)
        before = snapshot("x")
        message = run(arguments + ["-o", "x"], data, 1)
        assert "--force" in message, message
        for other, others, more in everything:
            if other != name:
                run(others + ["-o", "x"], more, 1)
        same = snapshot("x")
        assert same == before
    # of whatever kind the folder was, the new one is alone there
    for _, arguments, data in everything:
        run(arguments + ["-o", "x", "--force"], data)
        remove("y")
        run(arguments + ["-o", "y"], data)
        same_folders("x", "y")


@test
def two_runs_never_share_a_folder():
    for name, arguments, data in jobs():
        for folder_is_there in (False, True):
            remove("x")
            if folder_is_there:
                run(arguments + ["-o", "x"], data)
            process = subprocess.Popen(program(arguments + ["-o", "x", "--force"]), stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE, cwd=scratch)
            process.stdin.write(data[:len(data) // 2])
            process.stdin.flush()
            limit = time.monotonic() + 60
            while not glob.glob(path("x", ".incomplete", "journal")) and time.monotonic() < limit:
                time.sleep(0.01)
            # --resume finds that the folder which is to be replaced is whole, and does nothing
            for how in ("--force",) if folder_is_there else ("--force", "--resume"):
                message = run(arguments + ["-o", "x", how], data, 1)
                assert "another run is writing" in message, (name, how, message)
            process.stdin.write(data[len(data) // 2:])
            process.stdin.close()
            assert process.wait() == 0, (name, process.stderr.read())
            process.stderr.close()
            run(["embed", "verify", "x"])


def every_byte_of_a_manifest(content):
    """A bit of it: no white space becomes other white space by that."""
    for at in random.Random(5).sample(range(len(content)), 40):
        damaged = bytearray(content)
        damaged[at] ^= 1 << at % 8
        with open(path("x", "manifest.json"), "wb") as out:
            out.write(damaged)
        run(["embed", "verify", "x"], status=1)
    with open(path("x", "manifest.json"), "wb") as out:
        out.write(content)


@test
def every_byte_is_verified():
    for name, arguments, data in jobs():
        remove("x")
        run(arguments + ["-o", "x"], data[:20000])
        assert "as the manifest says" in run(["embed", "verify", "x"])
        for file, content in snapshot("x").items():
            if file == "manifest.json":
                every_byte_of_a_manifest(content)
                continue
            for at in {0, len(content) - 1, *random.Random(4).sample(range(len(content)), 4)}:
                damaged = bytearray(content)
                damaged[at] ^= 1 << at % 8
                with open(path("x", file), "wb") as out:
                    out.write(damaged)
                message = run(["embed", "verify", "x"], status=1)
                assert file in message and "damaged" in message, (name, message)
            with open(path("x", file), "wb") as out:
                out.write(content[:-1])
            assert file in run(["embed", "verify", "x"], status=1)
            os.remove(path("x", file))
            assert file in run(["embed", "verify", "x"], status=1)
            with open(path("x", file), "wb") as out:
                out.write(content)
        run(["embed", "verify", "x"])


@test
def manifests_that_lie_are_told():
    run(["idmap", "--ids", "--to", "megatron", "--no-eot", "--force", "-o", "x"], b"1 2 3\n4 5\n")
    good = manifest_of("x")

    def lie(change, expected):
        manifest = json.loads(json.dumps(good))
        change(manifest)
        with open(path("x", "manifest.json"), "w", encoding="utf-8") as file:
            json.dump(manifest, file)
        message = run(["embed", "verify", "x"], status=1)
        assert expected in message, message

    lie(lambda m: m.update(layout="mega"), "layout")
    lie(lambda m: m.update(width=24), "width")
    lie(lambda m: m.update(tokens=6), "says 6 tokens")
    lie(lambda m: m["shards"][0].update(tokens=4), "hasn't the 4 ids")
    lie(lambda m: m["shards"][0].update(tokens=2 ** 62), "hasn't the")
    lie(lambda m: m["shards"][0].pop("tokens"), "lacks its number of tokens")
    lie(lambda m: m["shards"][0].pop("documents"), "lacks its number of tokens")
    lie(lambda m: m["shards"][0].pop("index"), "lacks a right file")
    lie(lambda m: m["shards"][0].update(index=7), "lacks a right file")
    lie(lambda m: m["shards"][0]["index"].update(file="../ids-00000.idx"), "leads out")
    lie(lambda m: m["shards"][0]["index"].update(bytes=1), "but the manifest says 1")
    lie(lambda m: m.update(eot=9), "manifest.json is damaged, or was changed")
    lie(lambda m: m.pop("xxh3"), "manifest.json is damaged, or was changed")
    run(["idmap", "--ids", "--to", "safetensors", "--no-eot", "--force", "-o", "x"], b"1 2 3\n4 5\n")
    good = manifest_of("x")
    lie(lambda m: m["shards"][0].update(documents=3), "'documents'")
    lie(lambda m: m["shards"][0].update(tokens=6), "'ids'")


def main():
    global build, scratch
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    chosen = [function for function in tests if options.only in function.__name__]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for number, function in enumerate(chosen, 1):
        wrong = ""
        scratch = tempfile.mkdtemp(prefix="lexmill-ids.", dir=where)
        try:
            function()
        except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            wrong, failed = "not ", failed + 1
            print(f"{function.__name__}: {type(error).__name__} {str(error)[:2000]}", file=sys.stderr)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        print(f"{wrong}ok {number} - {function.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
