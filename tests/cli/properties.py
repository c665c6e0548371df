#!/usr/bin/env python3
"""What must hold for every text: the same bytes whatever the threads, reads and locale; Unicode's own
normalisation; streams that lead back to what they came from.

usage: properties.py --build BUILD --trickle PROGRAM      Output is TAP, for meson.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
import unicodedata

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXTS = sorted(glob.glob(os.path.join(SOURCE, "testdata", "*.txt")))
build = trickle = ""
tests = []


class Skipped(Exception):
    """Says what a test lacks here."""


def test(function):
    tests.append(function)
    return function


def run(arguments, data=b"", locale="C", status=0):
    program = os.path.join(build, arguments[0])
    done = subprocess.run([program] + arguments[1:], input=data, capture_output=True, timeout=300,
                          env=dict(os.environ, LC_ALL=locale))
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def trickled(arguments, data, count):
    """The same, with the input coming `count` bytes at a time."""
    source = subprocess.Popen([trickle, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sink = subprocess.Popen([os.path.join(build, arguments[0])] + arguments[1:],
                            stdin=source.stdout, stdout=subprocess.PIPE)
    source.stdout.close()
    writer = os.fork()
    if writer == 0:
        sink.stdout.close()
        try:
            source.stdin.write(data)
            source.stdin.close()
        except BrokenPipeError:
            pass
        os._exit(0)
    source.stdin.close()
    out = sink.stdout.read()
    os.waitpid(writer, 0)
    source.wait()
    if sink.wait() != 0:
        raise AssertionError(f"{arguments}: status {sink.returncode} for a trickle")
    return out


def mixture(size, seed):
    """A text of every language, in lines and paragraphs of all lengths."""
    source, parts, length = random.Random(seed), [], 0
    pieces = [open(path, "rb").read() for path in TEXTS]
    while length < size:
        piece = source.choice(pieces)
        if source.random() < 0.5:
            text = piece.decode()
            begin = source.randrange(len(text) + 1)
            piece = text[begin:begin + source.randrange(200)].encode()
        parts.append(piece + source.choice([b"", b" ", b"\n", b"\n\n", b"\r\n", b"\0"]))
        length += len(parts[-1])
    return b"".join(parts)


TOKENIZE = [
    ["tokenize"],
    ["tokenize", "-b", "--offsets", "-d", "line"],
    ["tokenize", "-p", "gpt2", "-d", "blank", "-f", "jsonl", "--offsets"],
    ["tokenize", "-p", "book", "-d", "nul", "-n", "nfkc", "--casefold", "-b"],
    ["tokenize", "-p", "cl100k", "--special", "robin", "--special", "\n\n", "-b"],
    ["tokenize", "-e", r"\w+|\s", "-d", "line", "--strip-marks", "--offsets"],
    ["tokenize", "-p", "o200k", "-n", "nfd", "--lowercase", "-b", "--offsets"],
    ["tokenize", "--split", r"\s+", "-d", "blank"],
    ["tokenize", "-d", "sentence", "--offsets"],
]


def variants(arguments, data, small):
    """Runs a command in every way that must not matter."""
    whole = run(arguments + ["-j", "1"], data)
    for threads in ("2", "7"):
        assert run(arguments + ["-j", threads], data) == whole, f"{arguments} -j {threads}"
    for locale in ("C.UTF-8", "C.utf8", "tr_TR.UTF-8", "POSIX"):
        assert run(arguments, data, locale) == whole, f"{arguments} in {locale}"
    assert trickled(arguments, data, 4095) == whole, f"{arguments}: 4095 bytes at a time"
    part = run(arguments, small)
    assert trickled(arguments, small, 1) == part, f"{arguments}: 1 byte at a time"
    assert trickled(arguments, small, 7) == part, f"{arguments}: 7 bytes at a time"


@test
def tokens_do_not_depend_on_threads_reads_or_locale():
    data, small = mixture(1500000, 1), mixture(20000, 2)
    for arguments in TOKENIZE:
        variants(arguments, data, small)


@test
def a_file_gives_what_a_pipe_gives():
    data = mixture(700000, 3)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for arguments in TOKENIZE:
            assert run(arguments + [file.name]) == run(arguments, data), arguments


@test
def ids_do_not_depend_on_threads_reads_or_locale():
    data, small = mixture(700000, 4), mixture(20000, 5)
    with tempfile.TemporaryDirectory() as folder:
        vocab = os.path.join(folder, "vocab")
        for form in ([], ["-b", "--offsets"]):
            tokens = run(["tokenize", "-d", "line"] + form, data)
            some = run(["tokenize", "-d", "line"] + form, small)
            run(["idmap", "build", "--min-count", "2", "--unk", "<unk>", "-o", vocab], tokens)
            for arguments in (["idmap"], ["idmap", "-V", vocab], ["idmap", "-b"],
                              ["idmap", "-V", vocab, "-b"], ["idmap", "-V", vocab, "-f", "jsonl"]):
                variants(arguments, tokens, some)


@test
def a_vocabulary_does_not_depend_on_threads_reads_or_locale():
    tokens = run(["tokenize"], mixture(700000, 6))
    some = run(["tokenize"], mixture(20000, 7))
    for order in ("frequency", "bytes", "appearance"):
        variants(["idmap", "build", "--order", order, "--max-size", "500", "-o", "-"], tokens, some)


@test
def vectors_do_not_depend_on_threads_reads_or_locale():
    for form in ([], ["-b"]):
        ids = run(["idmap"] + form, run(["tokenize", "-d", "line"], mixture(200000, 8)))
        some = run(["idmap"] + form, run(["tokenize", "-d", "line"], mixture(5000, 9)))
        for options in (["--dim", "3"], ["--dim", "5", "-f", "text"],
                        ["--dim", "2", "--context", "4", "--stride", "3", "--targets"],
                        ["--dim", "2", "--context", "8", "--pad", "0", "--positions", "sinusoidal"]):
            variants(["embed"] + options, ids, some)


@test
def short_documents_get_the_ids_that_they_have_alone():
    vocab = os.path.join(SOURCE, "testdata", "vocab", "gpt2")
    chance = random.Random(7)
    words = ["the", " robin", " 3rd", "\u4e2d", " <|end|>", "<|end|>", "!", " nest", "\U0001f426"]
    for most in (0, 1, 9, 200):
        lines = ["".join(chance.choices(words, k=chance.randint(0, most))) for _ in range(700)]
        text = "".join(line + "\n" for line in lines).encode()
        options = ["-p", "cl100k", "-d", "line", "--special", "<|end|>", "-j"]
        for threads in ("1", "3"):
            tokens = run(["tokenize"] + options + [threads], text)
            whole = run(["lexmill", "-V", vocab] + options + [threads], text)
            assert whole == run(["idmap", "-V", vocab], tokens), most
        assert whole.count(b"\n") == len(lines), most


@test
def progress_is_shown_on_a_terminal_by_the_first_of_a_chain():
    def shown(folder, name, arguments):
        """Whether it is, with an input that takes over a second."""
        path = os.path.join(folder, name)
        os.mkfifo(path)
        ours, terminal = os.openpty()
        command = os.path.join(build, "idmap") + " " + arguments.format(path=path)
        program = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                                   stdout=terminal, stderr=terminal)
        with open(path, "wb", buffering=0) as file:
            for _ in range(2):
                file.write(b"word\n" * 60000)
                time.sleep(1.1)
        assert program.wait() == 0, name
        os.set_blocking(ours, False)
        text = os.read(ours, 1 << 20) if select.select([ours], [], [], 0)[0] else b""
        os.close(ours), os.close(terminal)
        return b" MB/s" in text

    cases = {"file": ("{path} >/dev/null", True), "pipe": ("<{path} >/dev/null", False),
             "first": ("{path} | tail -n 0", True), "wanted": ("--progress <{path} >/dev/null", True),
             "quiet": ("-q {path} >/dev/null", False), "terminal": ("build {path}", False)}
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        raise Skipped(f"there are no terminals: {error.strerror}") from error
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        found = {name: pool.submit(shown, folder, name, case[0]) for name, case in cases.items()}
        for name, case in cases.items():
            assert found[name].result() == case[1], name


@test
def a_large_redirected_output_takes_no_more_than_its_room():
    ids = b" ".join(b"%d" % (i % 1000) for i in range(5000))
    command = [os.path.join(build, "embed"), "--dim", "768", "--rows", "1000"]
    with tempfile.TemporaryDirectory() as folder:
        plain, longer = os.path.join(folder, "plain"), os.path.join(folder, "longer")
        with open(plain, "wb") as file:
            subprocess.run(command, input=ids, stdout=file, check=True)
        status = os.stat(plain)
        assert status.st_size == 128 + 5000 * 768 * 4, status.st_size
        assert status.st_blocks * 512 <= status.st_size + (1 << 20), status.st_blocks
        with open(plain, "wb") as file:  # what a failed run took as well
            failed = subprocess.run(command, input=(ids + b"\n") * 4 + b"1000\n", stdout=file, stderr=subprocess.PIPE)
        status = os.stat(plain)
        assert failed.returncode == 1 and status.st_size > 8 << 20, (failed, status.st_size)
        assert status.st_blocks * 512 <= status.st_size + (1 << 20), status.st_blocks
        with open(plain, "wb") as file:
            subprocess.run(command, input=ids, stdout=file, check=True)
        status = os.stat(plain)
        with open(longer, "wb") as file:  # what stands beyond the output isn't ours
            file.seek(20_000_000)
            file.write(b"theirs")
        with open(longer, "r+b") as file:
            subprocess.run(command, input=ids, stdout=file, check=True)
        with open(longer, "rb") as file, open(plain, "rb") as ours:
            assert file.read(status.st_size) == ours.read()
            file.seek(20_000_000)
            assert file.read() == b"theirs"


@test
def offsets_lead_back_to_the_text():
    for path in TEXTS:
        text = open(path, "rb").read()
        for preset in ("words", "book", "whitespace", "gpt2", "cl100k", "o200k"):
            line = run(["tokenize", "-p", preset, "-f", "jsonl", "--offsets", path])
            document = json.loads(line)
            for token, (begin, end) in zip(document["tokens"], document["offsets"]):
                assert text[begin:end] == token.encode(), (path, preset, token)


@test
def a_byte_level_preset_keeps_every_byte():
    for path in TEXTS:
        text = open(path, "rb").read()
        for preset in ("gpt2", "cl100k", "o200k", "llama3", "qwen2"):
            line = run(["tokenize", "-p", preset, "-f", "jsonl", path])
            assert "".join(json.loads(line)["tokens"]).encode() == text, (path, preset)


@test
def ids_lead_back_to_the_tokens():
    data = mixture(300000, 10)
    with tempfile.TemporaryDirectory() as folder:
        vocab = os.path.join(folder, "vocab")
        for form in ([], ["-b"]):
            tokens = run(["tokenize", "-p", "gpt2"] + form, data)
            ids = run(["idmap", "--save", vocab] + form, tokens)
            assert run(["idmap", "decode", "-V", vocab, "--join", "none"], ids) == data


def code_points():
    """Every code point that Python's Unicode knows, but for the line feed that parts them. A Python
    newer than the library's tables is asked for those that both are sure to know."""
    newer = tuple(map(int, unicodedata.unidata_version.split("."))) > (15, 0, 0)
    known = unicodedata.ucd_3_2_0 if newer else unicodedata
    return [chr(c) for c in range(0x110000) if c != 10 and not 0xD800 <= c < 0xE000
            and known.category(chr(c)) not in ("Cn", "Co")]


@test
def normalisation_of_every_code_point_is_unicodes():
    text = "\n".join(code_points()).encode()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        got = run(["tokenize", "--split", "\n", "-f", "jsonl", "-n", form.lower()], text)
        want = [unicodedata.normalize(form, c) for c in code_points()]
        check_all(json.loads(got)["tokens"], want, code_points(), form)


def check_all(got, want, sources, what):
    want = [w for w in want if w]
    if got != want:
        for g, w, s in zip(got, want, sources):
            assert g == w, f"{what} of {ascii(s)}: {ascii(g)}, not {ascii(w)}"
    assert len(got) == len(want), f"{what}: {len(got)} tokens, not {len(want)}"


@test
def normalisation_of_random_sequences_is_unicodes():
    source = random.Random(11)
    every = code_points()
    active = [c for c in every if unicodedata.combining(c) or unicodedata.decomposition(c)
              or "\u1100" <= c <= "\u11ff" or "\uac00" <= c <= "\uac80"]
    rows = ["".join(source.choice(active if source.random() < 0.8 else every)
                    for _ in range(source.randrange(1, 9))) for _ in range(60000)]
    text = "\n".join(rows).encode()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        got = run(["tokenize", "--split", "\n", "-f", "jsonl", "-n", form.lower()], text)
        check_all(json.loads(got)["tokens"], [unicodedata.normalize(form, r) for r in rows], rows,
                  form)


@test
def case_folding_of_every_code_point_is_unicodes():
    sources = code_points()
    got = run(["tokenize", "--split", "\n", "-f", "jsonl", "--casefold"],
              "\n".join(sources).encode())
    check_all(json.loads(got)["tokens"], [c.casefold() for c in sources], sources, "case folding")


@test
def lower_case_of_every_code_point_is_unicodes():
    sources = code_points()
    got = run(["tokenize", "--split", "\n", "-f", "jsonl", "--lowercase"],
              "\n".join(sources).encode())
    check_all(json.loads(got)["tokens"], [c.lower() for c in sources], sources, "lower case")


def main():
    global build, trickle
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--trickle", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build, trickle = os.path.abspath(options.build), os.path.abspath(options.trickle)
    chosen = [function for function in tests if options.only in function.__name__]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, function in enumerate(chosen, 1):
        wrong = skipped = ""
        try:
            function()
        except Skipped as lack:
            skipped = f" # SKIP {lack}"
        except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            wrong, failed = "not ", failed + 1
            print(f"{function.__name__}: {str(error)[:2000]}", file=sys.stderr)
        print(f"{wrong}ok {number} - {function.__name__}{skipped}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
