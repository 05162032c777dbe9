"""A folder of PNG images to try things on: circles, squares and triangles, gray, 28 x 28, with noise.

Usage: shapes.py FOLDER [TRAIN [TEST]]. So many images of each class (200, 50), the same ones each time:
FOLDER/train/CLASS/N.png and FOLDER/test/CLASS/N.png, as `data.name: images` of a recipe takes them.
"""

import os
import random
import struct
import sys
import zlib

SIZE = 28


def inside(name, x, y, radius):
    if name == "circle":
        return x * x + y * y <= radius * radius
    if name == "square":
        return max(abs(x), abs(y)) <= 0.9 * radius
    return -radius <= y <= radius and abs(x) <= (y + radius) / 2  # triangle


def draw(name, rng):
    radius = rng.uniform(6, 10)
    middle = [rng.uniform(radius, SIZE - 1 - radius) for _ in range(2)]
    ink, paper, noise = rng.uniform(140, 255), rng.uniform(0, 80), rng.uniform(5, 40)
    rows = []
    for y in range(SIZE):
        row = bytearray()
        for x in range(SIZE):
            value = ink if inside(name, x - middle[0], y - middle[1], radius) else paper
            row.append(min(255, max(0, round(rng.gauss(value, noise)))))
        rows.append(bytes(row))
    return rows


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def main():
    counts = {"train": int(sys.argv[2]) if len(sys.argv) > 2 else 200, "test": int(sys.argv[3]) if len(sys.argv) > 3 else 50}
    for part, count in counts.items():
        for name in ("circle", "square", "triangle"):
            folder = os.path.join(sys.argv[1], part, name)
            os.makedirs(folder, exist_ok=True)
            rng = random.Random(f"{part} {name}")
            for i in range(count):
                with open(os.path.join(folder, f"{i}.png"), "wb") as file:
                    file.write(png(draw(name, rng)))


if len(sys.argv) < 2:
    sys.exit(__doc__)
main()
