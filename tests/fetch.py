"""`cairn data` against a server of its own: breaks, resumed transfers, wrong bytes, mirrors, archives, and what is said.

Usage: fetch.py CAIRN [curl] [archive] [libzip]: the features of the build. Nothing outside of this machine is asked: the data
sets are small ones of a register of the test (CAIRN_DATASETS), and the server is on the loopback address.
"""

import errno
import gzip
import hashlib
import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

sys.dont_write_bytecode = True  # the sources stay as they are
from fetch_server import BATCHES, FILES, FORMS, LARGE, NAMES, SIZE, Server, idx, md5, register, tar

checks = failures = 0


def check(good, what, result=None):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAIL", what)
        if result:
            print(f"     exit {result.returncode}\n     stdout: {result.stdout!r}\n     stderr: {result.stderr!r}")


class Bench:
    def __init__(self, cairn):
        self.cairn = cairn
        self.work = tempfile.mkdtemp(prefix="cairn-fetch-")
        self.server = Server()
        self.folder = self.register = ""
        self.env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.env.update(XDG_DATA_HOME=os.path.join(self.work, "share"), HOME=self.work, TERM="xterm")
        self.env.pop("CAIRN_DATA_DIR", None)
        self.count = 0
        self.fresh()

    def fresh(self, text=None):
        """A new empty data folder, and the register's usual text or another."""
        self.count += 1
        self.folder = os.path.join(self.work, str(self.count))
        os.mkdir(self.folder)
        self.register = self.folder + ".yaml"
        with open(self.register, "w", encoding="utf-8") as file:
            file.write(register(md5("boxes.tar.gz")) if text is None else text)
        self.env["CAIRN_DATASETS"] = self.register
        self.server.log.clear()
        self.server.release.clear()

    def run(self, *args, **kwargs):
        return subprocess.run([self.cairn, "data", *args], cwd=self.work, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False, **kwargs)

    def mirrors(self, hows):
        return [word for how in hows for word in ("--mirror", self.server.url(how))]

    def fetch(self, name, *hows, options=(), **kwargs):
        return self.run("fetch", name, "--data-dir", self.folder, *self.mirrors(hows), *options, **kwargs)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def files(self, name):
        return sorted(os.listdir(self.path(name))) if os.path.isdir(self.path(name)) else []

    def put(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def ranges(self, how):
        return [start for h, name, start in self.server.log if h == how and name == LARGE]

    def whole(self, what, result, name="tiny", suffix=".gz"):
        """All four files are there as served, and nothing else."""
        good = result.returncode == 0 and self.files(name) == sorted(form + suffix for form in FORMS)
        for file in self.files(name) if good else []:
            with open(self.path(name, file), "rb") as opened:
                good = good and opened.read() == FILES[file]
        check(good and "300 images to train, 40 to test" in result.stdout, what, result)

    def refused(self, what, code, says, result, *, left=()):
        """The last line of the complaints holds all of `says`; only `left` remains in the data set's folder."""
        lines = result.stderr.splitlines() or [""]
        good = result.returncode == code and result.stdout == "" and all(part in lines[-1] for part in says)
        check(good and lines[-1].startswith("cairn data"), f"{what}: wanted {code} and {says}", result)
        check(self.files("tiny") == sorted(left) and (left or not os.path.isdir(self.path("tiny"))),
              f"{what}: left {self.files('tiny')}", result)


PART = LARGE + ".part"


def test_list(b):
    result = b.run("list", "--data-dir", b.folder)
    for word in ("tiny", "1x16x16", "boxes", "3x2x2", "mnist", "60000", "glyphs", "built in", "not here", "images"):
        check(word in result.stdout, f"list: {word}", result)
    check(result.returncode == 0 and result.stderr == "", "list", result)
    for name, (dims, data) in FORMS.items():
        b.put(f"tiny/{name}", idx(*dims, data=data))  # unpacked
    rows = {row["name"]: row for row in json.loads(b.run("list", "--json", "--data-dir", b.folder).stdout)}
    tiny = rows["tiny"]
    check(tiny["folder"] == b.path("tiny") and tiny["shape"] == [1, 16, 16] and tiny["train_images"] == 300, f"json {tiny}")
    check(rows["mnist"]["folder"] is None and rows["mnist"]["fetchable"] and rows["mnist"]["classes"] == 10, "json: mnist")
    check(rows["images"]["shape"] is None and not rows["images"]["fetchable"], "json: images")
    os.remove(b.path("tiny", "train-labels"))
    check("tiny             1x16x16        10     300      40  idx     not here" in b.run("list", "--data-dir", b.folder).stdout,
          "list: a file is missing")
    b.env["CAIRN_DATASETS"] = b.path("none.yaml")
    result = b.run("list")
    check(result.returncode == 2 and "CAIRN_DATASETS: cannot open" in result.stderr, "list: no such register", result)
    b.fresh("tiny:\n  kind: idx\n  shape: 1x16\n")
    result = b.run("list")
    check(result.returncode == 2 and ".yaml:3:10: shape: CxHxW" in result.stderr, "list: a bad register", result)


def test_plain(b):
    result = b.fetch("tiny", "good")
    b.whole("plain", result)
    check(result.stdout.count("fetched") == 4 and result.stdout.count("MD5 as published") == 4, "plain: what is said", result)
    check("\r" not in result.stderr and "fetching http://127.0.0.1" in result.stderr, "plain: messages", result)
    asked = len(b.server.log)
    result = b.fetch("tiny", "good")
    b.whole("again", result)
    check(result.stdout.count("kept") == 4 and len(b.server.log) == asked, "again: nothing is asked for", result)
    os.remove(b.path("tiny", LARGE))
    b.put("tiny/test-labels.gz", FILES["test-labels.gz"][:-1])
    result = b.fetch("tiny", "good", options=["--json"])
    files = {file["file"]: file for file in json.loads(result.stdout)["files"]}
    check([files[f"{name}.gz"]["kept"] for name in FORMS] == [False, True, True, False], "what is missing or damaged", result)
    check("test-labels.gz is replaced: its MD5 is" in result.stderr and files[LARGE]["digest"] == "md5" and
          files[LARGE]["bytes"] == SIZE and files[LARGE]["address"].endswith("/good/" + LARGE), "json", result)
    b.whole("repaired", b.fetch("tiny", "missing", options=["--quiet"]))


def test_places(b):
    """DIR/NAME, CAIRN_DATA_DIR, XDG_DATA_HOME, and files that lie in DIR itself."""
    b.env["CAIRN_DATA_DIR"] = b.folder
    b.whole("CAIRN_DATA_DIR", b.run("fetch", "tiny", *b.mirrors(["good"])))
    del b.env["CAIRN_DATA_DIR"]
    result = b.run("fetch", "tiny", *b.mirrors(["good"]))
    check(os.path.exists(os.path.join(b.work, "share", "cairn", "tiny", LARGE)), "XDG_DATA_HOME", result)
    b.fresh()
    for name in FORMS:
        b.put(name + ".gz", FILES[name + ".gz"])
    result = b.fetch("tiny", "missing")
    check(result.returncode == 0 and result.stdout.count("kept") == 4 and not os.path.exists(b.path("tiny")), "flat", result)
    b.put(LARGE, b"those of another data set")
    b.whole("flat, but others", b.fetch("tiny", "good"))
    b.fresh()
    for name, (dims, data) in FORMS.items():
        b.put(name, idx(*dims, data=data))
    b.fetch("tiny", "cutfirst")
    check(b.files("tiny") == [PART], "a failed fetch leaves its part")
    rows = {row["name"]: row for row in json.loads(b.run("list", "--json", "--data-dir", b.folder).stdout)}
    check(rows["tiny"]["folder"] == b.folder, "a failed fetch hides nothing")


def test_mirrors(b):
    for how in ("missing", "error", "wrong", "empty", "loop", "tofile", "html"):
        b.fresh()
        result = b.fetch("tiny", how, "good")
        b.whole(f"{how}, then good", result)
        check(f"/{how}/{LARGE}: " in result.stderr, f"{how}: is told", result)
        check(how != "tofile" or 'rotocol "file"' in result.stderr, "no redirection leads to a file", result)
    for how in ("redirect", "nolength", "norange"):
        b.fresh()
        b.whole(how, b.fetch("tiny", how))
    b.fresh()
    b.refused("none has it", 3, ["no address has " + LARGE, "HTTP status 404 (not found)", "its MD5 is", "not " + md5(LARGE)],
              b.fetch("tiny", "missing", "wrong"))
    result = b.fetch("sums", "wrong", "good")
    b.whole("SHA-256", result, "sums")
    check("its SHA-256 is" in result.stderr and result.stdout.count("SHA-256 as published") == 4, "SHA-256: is told", result)
    b.server.url = lambda how: "http://127.0.0.1:1/" + how
    b.refused("no server", 3, [LARGE, "127.0.0.1:1", "onnect"], b.fetch("tiny", "good"))
    del b.server.url


def test_resume(b):
    result = b.fetch("tiny", "cut")
    b.whole("cut in halves", b.fetch("tiny", "good"))
    check(result.returncode == 3 and "(what came is kept)" in result.stderr, "cut again and again", result)
    starts = b.ranges("cut")
    check(len(starts) == 5 and starts[0] == 0 and starts[1] == SIZE // 2 and starts == sorted(starts), f"cut: {starts}")
    check(b.ranges("good") and b.ranges("good")[0] > starts[-1], f"good goes on: {b.ranges('good')}")

    b.fresh()
    b.whole("cut again and again, then good", b.fetch("tiny", "missing", "cut", "error", options=["--mirror", b.server.url("good")]))
    b.fresh()
    b.fetch("tiny", "missing", "cut", "error")
    check(len(b.ranges("cut")) == 5 and len(b.ranges("missing")) == 1, "HTTP status 404 is final")
    check(len(b.ranges("error")) == 5, "HTTP status 503 is not")
    b.fresh()
    b.whole("the next mirror goes on", b.fetch("tiny", "cutfirst", "good"))
    check(b.ranges("good") == [SIZE // 2], f"ranges {b.ranges('good')}")
    b.fresh()
    b.refused("a break", 3, ["broken off after", "(what came is kept)"], b.fetch("tiny", "cutfirst"), left=[PART])
    with open(b.path("tiny", PART), "rb") as file:
        check(file.read() == FILES[LARGE][:SIZE // 2], "the part is the first half")
    result = b.fetch("tiny", "norange")
    b.whole("no ranges there", result)
    check(b.ranges("norange") == [SIZE // 2] and "of which" in result.stderr, "a range was asked for", result)

    cases = {  # what is there of an earlier try: the ranges asked of which server
        "right": (FILES[LARGE][:1000], "good", [1000]),
        "one byte": (FILES[LARGE][:1], "good", [1]),
        "empty": (b"", "good", [0]),
        "foreign": (b"x" * 1000, "good", [1000, 0]),
        "whole": (FILES[LARGE], "good", [SIZE, 0]),
        "too long": (FILES[LARGE] + b"x", "good", [SIZE + 1, 0]),
        "longer now": (FILES[LARGE][:1000], "longer", [1000, 0]),
        "another range": (FILES[LARGE][:1000], "shifted", [1000, 0]),
    }
    for what, (data, how, starts) in cases.items():
        b.fresh()
        b.put(os.path.join("tiny", PART), data)
        b.whole("a part: " + what, b.fetch("tiny", how))
        check(b.ranges(how) == starts, f"a part: {what}: {b.ranges(how)}")
    b.fresh()
    b.put(os.path.join("tiny", PART), b"x" * 1000)
    b.refused("a foreign part and wrong bytes", 3, ["thrown away: its MD5 is"], b.fetch("tiny", "wrong"))
    check(b.ranges("wrong") == [1000, 0], f"ranges {b.ranges('wrong')}")


def test_patience(b):
    started = time.monotonic()
    b.whole("a server that stalls", b.fetch("tiny", "stall", "good", options=["--timeout", "2"]))
    check(b.ranges("good") == [SIZE // 2], f"goes on behind what came: {b.ranges('good')}")
    b.fresh()
    b.refused("a server that says nothing", 3, ["no byte came for 1 s"],
              b.fetch("tiny", "silent", options=["--timeout", "1"]))
    b.server.release.set()
    check(time.monotonic() - started < 60, "a server that stalls is left")


def test_interrupt(b):
    """SIGINT keeps what came; progress is drawn on a terminal only."""
    master, slave = pty.openpty()
    process = subprocess.Popen([b.cairn, "data", "fetch", "tiny", "--data-dir", b.folder, *b.mirrors(["slow"])], cwd=b.work,
                               env=b.env, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    deadline = time.monotonic() + 60
    part, told = b.path("tiny", PART), b""
    while time.monotonic() < deadline and not (b"kB of " in told and os.path.getsize(part) > 4000):
        told += os.read(master, 4096)
    again = b.fetch("tiny", "good")
    check(again.returncode == 3 and "another process is fetching" in again.stderr, "two at once", again)
    process.send_signal(signal.SIGINT)
    check(process.wait(60) == 3 and process.stdout.read() == b"", "interrupted: exit status")
    process.stdout.close()
    try:
        while piece := os.read(master, 4096):
            told += piece
    except OSError as error:  # a terminal that nobody holds any more
        check(error.errno == errno.EIO, f"the terminal: {error}")
    os.close(master)
    check(b"interrupted; " in told and b"is kept, and the next fetch goes on" in told and b"\r\033[K" in told, f"told: {told}")
    size = os.path.getsize(part)
    with open(part, "rb") as file:
        check(4000 < size < SIZE and file.read() == FILES[LARGE][:size], f"interrupted: {size} bytes are kept")
    b.server.release.set()
    b.whole("on from there", b.fetch("tiny", "good"))
    check(b.ranges("good")[-1] == size, f"on from there: {b.ranges('good')}")


def test_no_room(b):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))

    result = b.fetch("tiny", "good", "norange", preexec_fn=limit, restore_signals=False)  # SIGXFSZ stays ignored
    b.refused("a full disk", 3, ["cannot write", PART, os.strerror(errno.EFBIG)], result, left=[PART])
    check(os.path.getsize(b.path("tiny", PART)) == 20000 and not b.ranges("norange"), "a full disk: no other mirror is asked")
    b.whole("room again", b.fetch("tiny", "good"))
    b.fresh()
    b.put("tiny", b"a file where the folder should be")
    b.refused("no folder", 3, ["cannot make the folder", os.strerror(errno.ENOTDIR)], b.fetch("tiny", "good"))
    b.fresh()
    os.makedirs(b.path("tiny", PART))
    b.refused("a folder in the place of the part", 3, ["cannot write", PART], b.fetch("tiny", "good"), left=[PART])
    b.fresh()
    os.mkdir(b.path("tiny"))
    b.put("mine", b"keep this")
    os.symlink(b.path("mine"), b.path("tiny", PART))
    b.refused("a link in the place of the part", 3, ["cannot write", PART], b.fetch("tiny", "good"), left=[PART])
    with open(b.path("mine"), "rb") as file:
        check(file.read() == b"keep this", "a link is not followed")
    b.fresh()
    os.chmod(b.work, 0o755)
    os.chmod(b.folder, 0o555)
    try:  # root may write anywhere
        result = b.fetch("tiny", "good", **({"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}))
        b.refused("a read-only folder", 3, ["cannot make the folder", os.strerror(errno.EACCES)], result)
    except PermissionError:
        print("skipped: a read-only folder (as root, and the program is where no other user can run it)")
    os.chmod(b.folder, 0o755)


def test_use(b):
    cases = [
        (["fetch"], "an argument is missing"),
        (["fetch", "tiny", "sums"], "one argument too many"),
        (["fetch", "tinny"], "there is no data set 'tinny'; there are: tiny, sums, bare, boxes, glyphs"),
        (["fetch", "glyphs"], "drawn from a seed"),
        (["fetch", "images"], "the images are your own"),
        (["fetch", "tiny"], "the register has no address: give one with --mirror"),
        (["fetch", "tiny", "--npz"], "it is not published in the NPZ form"),
        (["fetch", "tiny", "--mirror", "file:///tmp"], "mirror 'file:///tmp': the address of a folder is expected"),
        (["fetch", "tiny", "--mirror", "ftp://x/"], "mirror 'ftp://x/'"),
        (["fetch", "tiny", "--timeout", "0"], "--timeout: '0' is not a whole number from 1"),
        (["fetch", "tiny", "--retry"], "there is no option --retry"),
        (["list", "tiny"], "one argument too many"),
        (["lost"], "there is no command lost; there are: list, fetch"),
        ([], "an argument is missing"),
    ]
    for args, says in cases:
        result = b.run(*args)
        check(result.returncode == 2 and len(result.stderr.splitlines()) == 1 and says in result.stderr and result.stdout == "",
              f"{args}: wanted {says}", result)
    for args in (["--help"], ["list", "--help"], ["fetch", "--help"]):
        result = b.run(*args)
        check(result.returncode == 0 and result.stdout.startswith("usage: cairn data") and result.stderr == "", f"{args}", result)
    check(not os.path.exists(os.path.join(b.work, "share")), "nothing is made by wrong use")


def test_without_digest(b):
    result = b.fetch("bare", "html", "wrong", "good")
    b.whole("no digest is known: what is served must be sound", result, "bare")
    check("not an IDX file" in result.stderr and "no digest is known; its content is sound" in result.stdout, "is told", result)
    b.put("bare/test-labels.gz", gzip.compress(idx(40, data=b"\x0a" * 40)))
    result = b.fetch("bare", "good")
    b.whole("damaged", result, "bare")
    check("test-labels.gz is replaced" in result.stderr and "label of image 0 is 10" in result.stderr, "damaged: is told", result)


def test_npz(b):
    result = b.fetch("bare", "html", "good", options=["--npz"])
    b.whole("NPZ", result, "bare", ".npz")
    check("not a zip archive" in result.stderr, "NPZ: is told", result)


def test_archive(b):
    inner = "cifar-10-batches-bin"
    result = b.fetch("boxes", "cut", "good")
    check(result.returncode == 0 and "boxes: 20 images to train, 3 to test" in result.stdout, "an archive", result)
    check(b.files(os.path.join("boxes", inner)) == sorted([name for name, _ in BATCHES] + [NAMES[0]]), "its files", result)
    for name, data in [*BATCHES, NAMES]:
        with open(b.path("boxes", inner, name), "rb") as file:
            check(file.read() == data, f"content of {name}")
    result = b.fetch("boxes", "missing", options=["--json"])
    check(result.returncode == 0 and not json.loads(result.stdout)["unpacked"], "all is there", result)
    os.truncate(b.path("boxes", inner, "test_batch.bin"), 13)
    result = b.fetch("boxes", "missing", options=["--json"])
    check(result.returncode == 0 and json.loads(result.stdout)["unpacked"], "a file is cut off: unpacked again", result)
    os.remove(b.path("boxes", "boxes.tar.gz"))
    check(b.fetch("boxes", "missing").returncode == 0, "the files without the archive are enough")
    shutil.rmtree(b.path("boxes", inner))
    check(b.fetch("boxes", "missing").returncode == 3, "neither is there")

    good, (first, data) = tar(*BATCHES), BATCHES[0]
    bad = {
        "cut off": (good[:len(good) // 2], "damaged or cut off"),
        "no archive": (b"<html>", "no tar archive packed by gzip"),
        "without a file": (tar(*BATCHES[1:]), f"there is no {first} in it"),
        "a file twice": (tar(*BATCHES, (first, data)), f"it has {first} twice"),
        "a short file": (tar((first, data[:-1]), *BATCHES[1:]), f"{first} has 51 bytes in it, where 52 are expected"),
        "a link": (tar(*BATCHES, kind=tarfile.SYMTYPE), f"{first} is no plain file in it"),
        "a device": (tar(*BATCHES, kind=tarfile.CHRTYPE), f"{first} is no plain file in it"),
        "out of the folder": (tar(*BATCHES, folder="../../"), f"there is no {first} in it"),
        "an absolute path": (tar(*BATCHES, folder="/tmp/"), f"there is no {first} in it"),
        "a long list of names": (tar(*BATCHES, ("batches.meta.txt", b"x" * 2000000)), "where at most 1048576 are expected"),
    }
    for what, (archive, says) in bad.items():
        b.fresh(register(hashlib.md5(archive).hexdigest()))
        FILES["boxes.tar.gz"] = archive
        result = b.fetch("boxes", "good")
        check(result.returncode == 2 and says in result.stderr, f"an archive: {what}: wanted {says}", result)
        check(set(os.listdir(b.folder)) <= {"boxes"} and not os.path.lexists(b.path("boxes", inner, "..", first)), f"left: {what}")
    FILES["boxes.tar.gz"] = good
    b.fresh(register())  # no digest: the archive itself must be sound
    result = b.fetch("boxes", "html", "good")
    check(result.returncode == 0 and "no tar archive packed by gzip" in result.stderr and
          "no digest is known" in result.stdout, "an archive without a digest", result)


def test_without_curl(b):
    result = b.fetch("tiny", "good")
    check(result.returncode == 2 and "this build cannot fetch files" in result.stderr and
          "libcurl4-openssl-dev" in result.stderr, "a build without libcurl says so", result)


def test_without_archive(b):
    result = b.fetch("boxes", "good")
    check(result.returncode == 2 and "this build cannot unpack archives" in result.stderr, "a build without libarchive", result)


def main():
    features = sys.argv[2:]
    b = Bench(os.path.abspath(sys.argv[1]))
    tests = [test_use, test_list]
    if "curl" in features:
        tests += [test_plain, test_places, test_mirrors, test_resume, test_patience, test_interrupt, test_no_room,
                  test_without_digest]
        tests += [test_npz] if "libzip" in features else []
        tests += [test_archive] if "archive" in features else [test_without_archive]
    else:
        tests += [test_without_curl]
    try:
        for test in tests:
            b.fresh()
            test(b)
    finally:
        b.server.release.set()
        shutil.rmtree(b.work)
    print(f"{checks} checks, {failures} failures")
    sys.exit(failures != 0)


main()
