"""Reads event files by their definition: frames with CRC-32C bit by bit, and the protobuf messages in them. Shares nothing with Cairn."""

import os
import struct
import zlib


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path, whole=True):
    """The records of a file; whole: none at its end is cut off."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        head = data[at:at + 12]
        size = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else 1 << 62
        body, tail = data[at + 12:at + 12 + size], data[at + 12 + size:at + 16 + size] if size < 1 << 40 else b""
        if len(tail) < 4:
            assert not whole, f"{path}: the record at {at} is cut off"
            return
        assert struct.unpack("<I", head[8:])[0] == masked(head[:8]), f"{path}: the length at {at}"
        assert struct.unpack("<I", tail)[0] == masked(body), f"{path}: the record at {at}"
        yield body
        at += 16 + size


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return (value - (1 << 64) if value >> 63 else value), at


def fields(data):
    """{field: [value, ...]}: whole numbers, or the bytes of anything else."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "a field is cut off"
        found.setdefault(key >> 3, []).append(value)
    return found


def one(message, field, default=None):
    return message.get(field, [default])[-1]


def text(message, field):
    return one(message, field, b"").decode()


def double(message, field):
    return struct.unpack("<d", one(message, field, bytes(8)))[0]


def doubles(message, field):
    data = b"".join(message.get(field, []))
    return struct.unpack(f"<{len(data) // 8}d", data)


def read_png(data):
    """(width, height, channels, rows of bytes) of a PNG of 8 bits without interlace; every chunk's checksum holds."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, kinds = 8, b"", []
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        packed += body if kind == b"IDAT" else b""
        if kind == b"IHDR":
            w, h, bits, color = struct.unpack(">IIBB", body[:10])
        at += 12 + size
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and bits == 8 and color in (0, 2), kinds
    c = 3 if color else 1
    raw = zlib.decompress(packed)
    assert len(raw) == h * (w * c + 1)
    return w, h, c, raw


class Events:
    """What a folder's files say, as TensorBoard takes them: in the order of their names, what a restart disowns left out.

    scalars, images, histograms: {tag: {step: value}}; graph: {node: (op, inputs, attributes)}; plugin: {tag: message}."""

    def __init__(self, folder, whole=True):
        self.files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        self.scalars, self.images, self.histograms, self.graph, self.plugin = {}, {}, {}, {}, {}
        self.graphs = 0
        for path in self.files:
            assert os.path.basename(path).startswith("events.out.tfevents."), path
            for number, record in enumerate(records(path, whole)):
                event = fields(record)
                assert double(event, 1) > 1.6e9, "the time"
                assert (text(event, 3) == "brain.Event:2") == (number == 0), "the version comes first"
                self.take(event, one(event, 2, 0))

    def take(self, event, step):
        if 7 in event and one(fields(event[7][0]), 1) == 1:
            for kind in (self.scalars, self.images, self.histograms):
                for steps in kind.values():
                    for later in [s for s in steps if s >= step]:
                        del steps[later]
        if 4 in event:
            self.graphs += 1
            self.graph = {text(node, 1): (text(node, 2), [name.decode() for name in node.get(3, [])],
                                          {text(a, 1): fields(one(a, 2, b"")) for a in map(fields, node.get(5, []))})
                          for node in map(fields, fields(event[4][0])[1])}
        for value in map(fields, fields(one(event, 5, b"")).get(1, [])):
            tag = text(value, 1)
            if 2 in value:
                self.scalars.setdefault(tag, {})[step] = struct.unpack("<f", value[2][-1])[0]
            if 4 in value:
                self.images.setdefault(tag, {})[step] = fields(value[4][-1])
            if 5 in value:
                self.histograms.setdefault(tag, {})[step] = fields(value[5][-1])
            if 9 in value:
                data = fields(fields(value[9][0])[1][0])
                assert text(data, 1) == "hparams"
                self.plugin.setdefault(tag, fields(one(data, 2, b"")))
