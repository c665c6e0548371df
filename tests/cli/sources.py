"""tokenize and where its text comes from: compressed files, JSON Lines, lists of files.

usage: sources.py TOKENIZE with-archive|without-archive
"""
import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import tempfile

TOKENIZE, ARCHIVE = os.path.abspath(sys.argv[1]), sys.argv[2] == "with-archive"
TEXT = b"The wren sings.\nBrest, Bath, Bern.\n" * 40_000
failures = []


def run(*arguments, stdin=b""):
    done = subprocess.run([TOKENIZE, *arguments], input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def check(what, condition, shown=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {shown}")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def compressed_input():
    want = run(stdin=TEXT)[1]
    half = len(TEXT) // 2
    for name, compress in (("gzip", gzip.compress), ("xz", lzma.compress), ("bzip2", bz2.compress)):
        data = compress(TEXT[:half]) + compress(TEXT[half:])
        path = write("text." + name, data)
        for threads in ("1", "2"):
            check(f"{name} file", run("-j", threads, path)[:2] == (0, want))
            check(f"{name} pipe", run("-j", threads, stdin=data)[:2] == (0, want))
        status, _, message = run(write("cut", data[:-7]), "-o", "out")
        good = f"cut: the {name} data is cut short or damaged" in message
        check(f"cut {name}", status == 1 and good and not os.path.exists("out"), message)


def unsupported():
    status, _, message = run(stdin=gzip.compress(b"a"))
    check("no gzip", status == 1 and "gzip" in message and "libarchive" in message, message)


def json_line(text, **more):
    return (json.dumps({"id": 1, "text": text, **more}) + "\n").encode()


def json_lines():
    texts = [f"Wren {i}\n\tsings \"é\" \U0001f99a.\r\n" * (1 + i % 50) for i in range(3000)]
    texts[700] = "A long song, \\ and \"longer\".\n" * 40_000  # over a megabyte
    lines = [json_line(text, url="x", n=[1.5]) for text in texts]
    for i in range(0, 3000, 7):
        lines[i] = json.dumps({"text": texts[i]}, ensure_ascii=False).encode() + b"\r\n"
    plain = write("plain", "\0".join(texts).encode())
    data = b"\n \t\n".join(lines).rstrip(b"\n")
    path = write("lines.jsonl", data)
    for options in ((), ("--offsets",), ("-f", "jsonl", "--offsets"), ("-e", "[^ ]+")):
        want = run(*options, "-d", "nul", plain)[:2]
        for threads in ("1", "2", "3"):
            check(f"JSON Lines {options} -j {threads}",
                  want == run(*options, "-d", "jsonl", "-j", threads, path)[:2])
    frames = [run("-d", "jsonl", "-b", "-j", threads, path) for threads in ("1", "2", "3")]
    check("JSON Lines, binary", frames[0][0] == 0 and frames[0] == frames[1] == frames[2])
    nested = b'{"meta":{"a.b":"wren"},"text":"no"}\n'
    check("a path", run("-d", r"jsonl:meta.a\.b", stdin=nested)[1] == b"wren\n")
    check("no lines", run("-d", "jsonl", stdin=b"\n\n")[:2] == (0, b""))
    mark = b"\xef\xbb\xbf"
    check("a byte order mark", run("-d", "jsonl", stdin=mark + json_line("wren") + mark)[1] == b"wren\n")
    check("its bytes count", run("-d", "jsonl", stdin=mark + b'{"text":7}')[2].startswith(
        "tokenize: standard input:1: byte 11: the field"))


def bad_lines():
    good = [json_line(f"wren {i}") for i in range(1200)]
    lines = list(good)
    for number, line in ((17, b"{\n"), (800, b'{"id":1}\n'), (1200, b'{"text":"a')):
        lines[number - 1] = line
        good[number - 1] = b""
    path = write("bad.jsonl", b"".join(lines))
    want = run("-d", "jsonl", stdin=b"".join(good))[1]
    for threads in ("1", "2"):
        status, out, message = run("-d", "jsonl", "--skip-bad", "-j", threads, path)
        said = "tokenize: skipped 3 bad lines of 1200, the first at bad.jsonl:17\n"
        check("skipped lines", (status, out, message) == (0, want, said), message)
        offset = sum(map(len, lines[:16])) + 1
        status, _, message = run("-d", "jsonl", "-o", "out", "-j", threads, path)
        said = f"tokenize: bad.jsonl:17: byte {offset}: this is not JSON"
        check("a bad line", status == 1 and message.startswith(said), message)
    check("-q says nothing", run("-q", "-d", "jsonl", "--skip-bad", path)[2] == "")
    broken = b"\n" + json_line("a" * 600_000) + b'{"text":"' + b"b" * 600_000 + b"\n"
    check("a long bad line", run("-d", "jsonl", stdin=broken)[2].startswith(
        "tokenize: standard input:3: byte "))
    check("a long bad line is skipped", "skipped 1 bad lines of 2, the first at standard input:3"
          in run("-d", "jsonl", "--skip-bad", stdin=broken)[2])
    bytes_ = json_line("one") + b'{"text":"a\xffb"}\n'
    check("bad UTF-8", run("-d", "jsonl", stdin=bytes_)[2].startswith(
        f"tokenize: standard input:2: byte {len(json_line('one')) + 10}: byte 0xFF is not UTF-8"))
    check("bad UTF-8 as bytes", run("-d", "jsonl", "--invalid", "bytes", stdin=bytes_)[1]
          == b"one\n\na\n\\xFF\nb\n")
    # the limit is hit behind eleven escaped characters
    half = b'{"text":"a\\ud83e b \\udd9a\\ud83e\\udd9a", "n":"\\ud83e"}\n'
    check("half a surrogate pair", run("-d", "jsonl", stdin=half)[::2] == (1, "tokenize: standard "
          "input:1: byte 10: this is not JSON: half a surrogate pair, which --invalid replace makes "
          "U+FFFD (mend the line, or use --skip-bad)\n"))
    for how in ("replace", "bytes"):
        check("half a surrogate pair, " + how,
              run("-d", "jsonl", "-e", "[^ ]+", "--invalid", how, "--offsets", stdin=half)[1].decode()
              == "a\ufffd\t0\t4\nb\t5\t6\n\ufffd\U0001f99a\t7\t14\n")
    long = json_line("one") + b'{"text":"' + b"\\u0061!" * 11 + b"w" * 500 + b'"}\n'
    check("an error in the text", run("-d", "jsonl", "--max-token", "200", stdin=long)[2].startswith(
        f"tokenize: standard input:2: byte {len(json_line('one')) + 9 + 77}: a token of more than"))
    for arguments in (("-d", "jsonl:"), ("--skip-bad",), ("-d", "json")):
        check(f"wrong usage {arguments}", run(*arguments)[0] == 2)


def rules_from_a_file():
    rules = {"normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": True},
             "pre_tokenizer": {"type": "BertPreTokenizer"}}
    path = write("tokenizer.json", json.dumps(rules).encode())
    text = "Élan, 東京\u200b!".encode()
    check("--from", run("--from", path, stdin=text)[:2] == (0, "elan\n,\n東\n京\n!\n".encode()))
    check("--from and -p", run("--from", path, "-p", "gpt2")[0] == 2)
    status, _, message = run("--from", write("no.json", b"[1"))
    check("no tokenizer.json", status == 1 and message.startswith("tokenize: no.json: "), message)
    prefixed = write("roberta.json", b'{"pre_tokenizer":{"type":"ByteLevel"}}')
    check("a prefix", run("--from", prefixed, "-j", "2", stdin=b"a b" + b" word" * 200_000)[1]
          == b" a\n b\n" + b" word\n" * 200_000)


def lists_of_files():
    for name in ("one", "two words", "three"):
        write(name, name.encode() + b"\n")
    listed = write("list", b"two words\n\nthree")
    want = b"one\n\ntwo\nwords\n\nthree\n"
    check("a list", run("one", "--files-from", listed)[:2] == (0, want))
    check("a list from a pipe", run("--files-from", "-", "one", stdin=b"two words\nthree\n")[:2]
          == (0, want))
    check("an empty list is no file", run("--files-from", "-", stdin=b"")[:2] == (0, b""))
    status, _, message = run("--files-from", "-", stdin=b"one\nnone\n")
    check("a missing file", status == 1 and message.startswith("tokenize: none: "), message)
    check("a missing list", run("--files-from", "nolist")[2].startswith("tokenize: nolist: "))
    check("standard input twice", run("--files-from", "-", "-")[0] == 2)
    check("a NUL in a list", run("--files-from", "-", stdin=b"one\0two")[0] == 2)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    if ARCHIVE:
        compressed_input()
    else:
        unsupported()
    json_lines()
    bad_lines()
    lists_of_files()
    rules_from_a_file()
    os.chdir("/")
sys.exit(1 if failures else 0)
