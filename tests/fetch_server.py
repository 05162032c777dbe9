"""What tests/fetch.py fetches, and the server that serves it, rightly and in every wrong way: /BEHAVIOUR/FILE."""

import gzip
import hashlib
import http.server
import io
import random
import struct
import sys
import tarfile
import threading
import zipfile

def idx(*dims, data):
    return struct.pack(">BBBB", 0, 0, 8, len(dims)) + b"".join(struct.pack(">I", n) for n in dims) + data


def npz(dims, data):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({', '.join(map(str, dims))},), }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
    return file.getvalue()


def tar(*members, kind=tarfile.REGTYPE, folder="cifar-10-batches-bin/"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in members:
            info = tarfile.TarInfo(folder + name)
            info.type = kind
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


RANDOM = random.Random(7)
TRAIN, TEST = 300, 40  # images of 16 x 16
FORMS = {}  # part of the file's name: (dims, bytes)
for part, n in (("train", TRAIN), ("test", TEST)):
    FORMS[part + "-images"] = ((n, 16, 16), RANDOM.randbytes(n * 256))
    FORMS[part + "-labels"] = ((n,), bytes(i % 10 for i in range(n)))

FILES = {}
for name, (dims, data) in FORMS.items():
    FILES[f"{name}.gz"] = gzip.compress(idx(*dims, data=data), mtime=0)
    FILES[f"{name}.npz"] = npz(dims, data)
BATCHES = [(f"data_batch_{i}.bin", b"".join(bytes([k]) + RANDOM.randbytes(12) for k in range(4))) for i in range(1, 6)]
BATCHES.append(("test_batch.bin", b"".join(bytes([k]) + RANDOM.randbytes(12) for k in range(3))))
NAMES = ("batches.meta.txt", b"airplane\nautomobile\nbird\ncat\n\n")
FILES["boxes.tar.gz"] = tar(*BATCHES, NAMES, ("readme.html", b"<html>"))
LARGE = "train-images.gz"
SIZE = len(FILES[LARGE])


def md5(name):
    return hashlib.md5(FILES[name]).hexdigest()


def four(suffix, digest):
    return "".join(f"    {name}: {{name: {name}{suffix}{digest(name + suffix)}}}\n" for name in FORMS)


def register(boxes=None, **extra):
    """Data sets: tiny (MD5), sums (SHA-256), bare (no digest, also NPZ), boxes (an archive)."""
    head = "  title: t\n  kind: idx\n  shape: 1x16x16\n  classes: 10\n  train: 300\n  test: 40\n  licence: none\n"
    sets = {
        "tiny": head + "  files:\n" + four(".gz", lambda n: ", md5: " + md5(n)),
        "sums": head + "  files:\n" + four(".gz", lambda n: ", sha256: " + hashlib.sha256(FILES[n]).hexdigest()),
        "bare": head + "  files:\n" + four(".gz", lambda n: "") + "  npz:\n" + four(".npz", lambda n: ""),
        "boxes": "  title: t\n  kind: cifar\n  shape: 3x2x2\n  classes: 4\n  train: 20\n  test: 3\n  licence: none\n"
                 "  archive: {name: boxes.tar.gz" + (f", md5: {boxes}" if boxes else "") + "}\n",
    }
    sets.update(extra)
    return "".join(f"{name}:\n{text}" for name, text in sets.items())


class Handler(http.server.BaseHTTPRequestHandler):
    """/BEHAVIOUR/FILE."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, code, body=b"", length=None, **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def give(self, data, start, part=None, total=None):
        """data[start:], of which only `part` bytes are sent before the connection is cut."""
        rest = data[start:]
        sent = rest if part is None else rest[:part]
        headers = {"Content_Range": f"bytes {start}-{len(data) - 1}/{total or len(data)}"} if start else {}
        self.reply(206 if start else 200, sent, len(rest), **headers)
        if part is not None:
            self.wfile.flush()
            self.close_connection = True

    def do_GET(self):  # pylint: disable=too-many-branches
        _, how, name = self.path.split("/", 2)
        asked = self.headers.get("Range")
        start = int(asked[6:-1]) if asked else 0
        self.server.log.append((how, name, start))
        data = FILES.get(name, b"")
        large = name == LARGE
        if how == "missing" or not data:
            self.reply(404, b"<html>nothing here</html>")
        elif how == "error":
            self.reply(503, b"later")
        elif asked and start >= len(data):
            self.reply(416, b"no", Content_Range=f"bytes */{len(data)}")
        elif how == "norange":
            self.reply(200, data)
        elif how == "cut" and large:  # each time half of what is left
            self.give(data, start, (len(data) - start) // 2)
        elif how == "cutfirst" and large:  # the first half, and no byte behind it
            self.give(data, start, max(0, len(data) // 2 - start))
        elif how == "wrong" and large:
            self.give(bytes(b ^ 1 for b in data), start)
        elif how == "longer" and start:
            self.give(data + b"more", start)
        elif how == "shifted" and start:
            self.reply(206, data[start - 1:], Content_Range=f"bytes {start - 1}-{len(data) - 1}/{len(data)}")
        elif how == "empty":
            self.reply(200, b"")
        elif how == "html":
            self.reply(200, b"<html>please log in</html>", Content_Type="text/html")
        elif how == "redirect":
            self.reply(302, b"moved", Location=f"/good/{name}")
        elif how == "loop":
            self.reply(302, b"moved", Location=self.path)
        elif how == "tofile":
            self.reply(302, b"moved", Location="file:///etc/passwd")
        elif how == "nolength":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)
            self.close_connection = True
        elif how in ("stall", "slow") and large:
            self.slowly(data, start, how)
        elif how == "silent":
            self.server.release.wait(20)
            self.close_connection = True
        else:
            self.give(data, start)

    def slowly(self, data, start, how):
        """stall: half of the file and then nothing; slow: a little at a time."""
        half = len(data) // 2
        self.give(data, start, half if how == "stall" else 2000)
        at = start + 2000
        while not self.server.release.wait(20 if how == "stall" else 0.1) and how == "slow" and at < len(data):
            try:
                self.wfile.write(data[at:at + 500])
                self.wfile.flush()
            except OSError:
                return
            at += 500


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.log = []
        self.release = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client may leave when it likes; all else is a mistake of the test."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def url(self, how):
        return f"http://127.0.0.1:{self.server_port}/{how}"
