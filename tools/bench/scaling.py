#!/usr/bin/env python3
"""Images per second as the work grows: over batch sizes, over model widths, and with one thread.

Usage: scaling.py [--cairn FILE] [--device D] [--svg FILE] [--json FILE] [--samples N] [--quick]

Times training steps by `cairn bench --recipe` (no data is needed): models a, c and d of tools/bench/*.yaml with batches of 1 to 4096, a
with 32 to 2048 hidden units, each with all threads and, on PoCL, with one (POCL_MAX_PTHREAD_COUNT=1). Prints tables in Markdown and,
behind them, each cliff: a place where twice the work of a step made images per second fall by more than a tenth. --svg writes the curves.
--quick: every fourth size.
"""

import argparse
import json
import math
import os
import shutil
import sys

import common

MODELS = {"a": "a-mlp", "c": "c-cnn", "d": "d-lenet"}
SAYS = {"a": "a: 784-128-10", "c": "c: kmnist-cnn", "d": "d: LeNet"}
BATCHES = [2**i for i in range(13)]
WIDTHS = [2**i for i in range(5, 12)]
COLORS = {"a": "#2f7fc1", "c": "#d9730d", "d": "#2a9d63"}
FALL = 0.9


def bench(options, model, threads, *args):
    """One step's figures; threads: how many, 0: all."""
    env = {"POCL_MAX_PTHREAD_COUNT": str(threads)} if threads else None
    return common.bench(options.cairn, "--recipe", common.recipe(MODELS[model]), "--device", options.device, "--samples", str(options.samples),
                        "--sample-ms", "20", *args, env=env)


def measure(options):
    """{(model, what, threads): {size: figures}}"""
    found, about = {}, None
    threads = [0]
    for count in threads:
        for model in MODELS:
            row = found[model, "batch", count] = {}
            for batch in options.batches:
                row[batch] = about = bench(options, model, count, "--batch", str(batch))
            common.tell(f"{model}, batches, {'all threads' if count == 0 else 'one thread'}")
        found["a", "width", count] = {width: bench(options, "a", count, "--set", f"vars.width={width}") for width in options.widths}
        common.tell(f"a, widths, {'all threads' if count == 0 else 'one thread'}")
        if count == 0 and "pthread" in about["name"] and options.cores > 1:
            threads.append(1)
    return found, about, threads


def rate(figures):
    return figures["samples_per_second"]


def name_of(model, threads, options):
    return f"{SAYS[model]}, {'one thread' if threads else f'{options.cores} threads'}"


def print_table(found, what, sizes, models, threads, options):
    columns = [(model, count) for model in models for count in threads]
    print(f"| {what} | " + " | ".join(name_of(model, count, options) for model, count in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for size in sizes:
        print(f"| {size} | " + " | ".join(f"{rate(found[model, what, count][size]):,.0f}" for model, count in columns) + " |")
    print()


def print_cliffs(found, options):
    """Twice the batch ought to give no fewer images per second; twice the width, half as many at worst."""
    said = 0
    for (model, what, count), row in found.items():
        sizes = sorted(row)
        for before, after in zip(sizes, sizes[1:]):
            fall = rate(row[after]) / rate(row[before]) * (1 if what == "batch" else after / before)
            if fall < FALL:
                said += 1
                print(f"- {name_of(model, count, options)}: {what} {before} to {after}: {rate(row[before]):,.0f} to {rate(row[after]):,.0f} "
                      "images per second")
    if not said:
        print("No cliff.")


# --- the picture: two panels, logarithmic both ways ---

WIDTH, PANEL_W, PANEL_H, LEFT, TOP = 1000, 390, 320, 78, 46
STYLE = """
text { font: 13px sans-serif; fill: #222 }
.title { font-weight: bold; font-size: 14px }
.back { fill: #fff } .frame { fill: none; stroke: #555 } .grid { stroke: #ddd }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .back { fill: #15181c } .frame { stroke: #999 } .grid { stroke: #3a3f46 }
}
"""


class Panel:
    def __init__(self, left, title, label, sizes, rows):
        self.left, self.title, self.label, self.sizes, self.rows = left, title, label, sizes, rows
        rates = [rate(row[size]) for _, _, row in rows for size in sizes]
        self.low, self.high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))

    def x(self, size):
        return self.left + PANEL_W * math.log(size / self.sizes[0]) / math.log(self.sizes[-1] / self.sizes[0])

    def y(self, value):
        return TOP + PANEL_H * (1 - (math.log10(value) - self.low) / (self.high - self.low))

    def draw(self):
        right, bottom = self.left + PANEL_W, TOP + PANEL_H
        yield f'<text class="title" x="{self.left}" y="{TOP - 16}">{self.title}</text>'
        for e in range(self.low, self.high + 1):
            y = self.y(10.0**e)
            yield f'<line class="grid" x1="{self.left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
            yield f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{10**e:,}</text>'
        for i, size in enumerate(self.sizes):
            x = self.x(size)
            yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>'
            if len(self.sizes) < 9 or i % 2 == 0:
                yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{size}</text>'
        yield f'<rect class="frame" x="{self.left}" y="{TOP}" width="{PANEL_W}" height="{PANEL_H}"/>'
        yield f'<text x="{self.left + PANEL_W / 2}" y="{bottom + 42}" text-anchor="middle">{self.label}</text>'
        for model, count, row in self.rows:
            points = " ".join(f"{self.x(size):.1f},{self.y(rate(row[size])):.1f}" for size in self.sizes)
            dash = ' stroke-dasharray="6 4"' if count else ""
            yield f'<polyline points="{points}" fill="none" stroke="{COLORS[model]}" stroke-width="2.2"{dash}/>'
            for size in self.sizes:
                yield f'<circle cx="{self.x(size):.1f}" cy="{self.y(rate(row[size])):.1f}" r="2.6" fill="{COLORS[model]}"/>'


def picture(found, threads, options):
    batches = Panel(LEFT, "Training, by batch size", "images in a batch", options.batches,
                    [(model, count, found[model, "batch", count]) for model in MODELS for count in threads])
    widths = Panel(LEFT + PANEL_W + 108, "Training, by width: a with batches of 128", "hidden units", options.widths,
                   [("a", count, found["a", "width", count]) for count in threads])
    height = TOP + PANEL_H + 60 + 22 * len(threads)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">\n'
           f"<title>Images per second over batch size and width</title><style>{STYLE}</style>\n"
           f'<rect class="back" width="{WIDTH}" height="{height}"/>')
    yield f'<text transform="translate(17 {TOP + PANEL_H / 2}) rotate(-90)" text-anchor="middle">images per second</text>'
    yield from batches.draw()
    yield from widths.draw()
    for j, count in enumerate(threads):
        for i, model in enumerate(MODELS):
            x, y = LEFT + i * 300, TOP + PANEL_H + 68 + 22 * j
            dash = ' stroke-dasharray="6 4"' if count else ""
            yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 30}" y2="{y - 4}" stroke="{COLORS[model]}" stroke-width="2.2"{dash}/>'
            yield f'<text x="{x + 38}" y="{y}">{name_of(model, count, options)}</text>'
    yield "</svg>\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cairn", default=os.path.join(common.ROOT, "build", "tools", "cairn"))
    parser.add_argument("--device", default="opencl")
    parser.add_argument("--svg", metavar="FILE", help="write the curves here")
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="every fourth size only")
    options = parser.parse_args()
    if not shutil.which(options.cairn):
        parser.error(f"{options.cairn} is not there, or no program")
    if options.samples < 1:
        parser.error("--samples: at least 1")
    options.cores = len(os.sched_getaffinity(0))
    step = 4 if options.quick else 1
    options.batches, options.widths = BATCHES[::step], WIDTHS[::step]
    return options


def main():
    options = parse()
    limits = common.Limits(options)
    found, about, threads = measure(options)
    common.paragraph(f"{common.processor()}, {options.cores} cores; {about['name']}, driver {about['driver']}, {about['math']}; images per second of "
                     f"training steps, median of {options.samples} samples; {limits.text()}.")
    print_table(found, "batch", options.batches, list(MODELS), threads, options)
    print_table(found, "width", options.widths, ["a"], threads, options)
    print_cliffs(found, options)
    if options.svg:
        common.write(options.svg, "\n".join(picture(found, threads, options)))
    if options.json:
        rows = [{"model": model, "by": what, "threads": count or options.cores, "size": size, **figures}
                for (model, what, count), row in found.items() for size, figures in row.items()]
        common.write(options.json, json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
