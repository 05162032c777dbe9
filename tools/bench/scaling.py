#!/usr/bin/env python3
"""Images per second as the work grows: over batch sizes, over model widths, and with one thread.

Usage: scaling.py [--cairn FILE] [--device D] [--svg FILE] [--json FILE] [--samples N] [--rounds N] [--quick] [--keep FILE [--seconds N]]

Times training steps by `cairn bench --recipe` (no data is needed): models a, c and d of tools/bench/*.yaml with batches of 1 to 4096, a
with 32 to 2048 hidden units, each with all threads and, on PoCL, with one (POCL_MAX_PTHREAD_COUNT=1), in turns; the median of the rounds counts.
Prints tables in Markdown and, behind them, each cliff: a place where twice the work of a step made images per second fall by more than a
tenth, and where all threads were slower than one by as much. --svg writes the curves. --quick: every fourth size. --keep: figures go to FILE as
they come, and what it has is not measured again; with --seconds measuring ends after so long with status 3, and goes on when called again.
"""

import argparse
import json
import math
import os
import shutil
import sys
import time

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


def kept(options):
    """What --keep's file has: {"about": ..., "limits": [...], "rows": {"model what threads size": figures}}"""
    if options.keep and os.path.exists(options.keep):
        with open(options.keep, encoding="utf-8") as file:
            return json.load(file)
    return {"limits": [], "rows": {}}


def in_turns(options, model, what, size, counts):
    """{threads: figures} of the median round, the slower one of two"""
    setting = ("--batch", str(size)) if what == "batch" else ("--set", f"vars.width={size}")
    rounds = {count: [] for count in counts}
    for _ in range(options.rounds):
        line = common.handover(options.cairn)
        for count in counts:
            rounds[count].append(dict(bench(options, model, count, *setting), handover=line))
    return {count: sorted(row, key=rate)[(len(row) - 1) // 2] for count, row in rounds.items()}


def measure(options):
    """{(model, what, threads): {size: figures}}, what the device is, numbers of threads, limits before and after"""
    have, began = kept(options), time.monotonic()
    limits = common.Limits(options)
    have["about"] = about = common.bench(options.cairn, "--recipe", common.recipe(MODELS["a"]), "--samples", "1", "--sample-ms", "1", "--device",
                                         options.device)
    threads = [0, 1] if "pthread" in about["name"] and options.cores > 1 else [0]
    found = {}
    for model, what, sizes in [(model, "batch", options.batches) for model in MODELS] + [("a", "width", options.widths)]:
        for size in sizes:
            names = {count: f"{model} {what} {count} {size}" for count in threads}
            if not all(name in have["rows"] for name in names.values()):
                if options.seconds and time.monotonic() - began > options.seconds:
                    have["limits"].append(limits.text())
                    common.write(options.keep, json.dumps(have, indent=1) + "\n")
                    common.tell(f"{len(have['rows'])} figures are in {options.keep}; call again to go on")
                    sys.exit(3)
                for count, figures in in_turns(options, model, what, size, threads).items():
                    have["rows"][names[count]] = figures
                if options.keep:
                    common.write(options.keep, json.dumps(have, indent=1) + "\n")
            for count in threads:
                found.setdefault((model, what, count), {})[size] = have["rows"][names[count]]
        common.tell(f"{model}, by {what}")
    have["limits"].append(limits.text())
    return found, about, threads, have["limits"]


def rate(figures):
    return figures["samples_per_second"]


def name_of(model, threads, options):
    return f"{SAYS[model]}, {'one thread' if threads else f'{options.cores} threads'}"


def lines(found):
    return [figures["handover"] for row in found.values() for figures in row.values() if figures["handover"]]


def far(found, model, what, count, size):
    """A star where the cores were far apart: the least way of a cache line is that of neighbours."""
    line = found[model, what, count][size]["handover"]
    return "*" if line and line > 2 * min(lines(found)) else ""


def print_table(found, what, sizes, models, threads, options):
    columns = [(model, count) for model in models for count in threads]
    print(f"| {what} | " + " | ".join(name_of(model, count, options) for model, count in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for size in sizes:
        print(f"| {size} | " + " | ".join(f"{rate(found[model, what, count][size]):,.0f}{far(found, model, what, count, size)}"
                                          for model, count in columns) + " |")
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
    for (model, what, count), row in found.items():
        for size in sorted(row) if count else []:
            if rate(found[model, what, 0][size]) < FALL * rate(row[size]):
                said += 1
                print(f"- {SAYS[model]}: {what} {size}: {rate(found[model, what, 0][size]):,.0f} images per second with {options.cores} threads, "
                      f"{rate(row[size]):,.0f} with one")
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
    parser.add_argument("--samples", type=int, default=3, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", metavar="FILE", help="keep figures there, and take them from there")
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--quick", action="store_true", help="every fourth size only")
    options = parser.parse_args()
    if not shutil.which(options.cairn):
        parser.error(f"{options.cairn} is not there, or no program")
    if options.samples < 1 or options.rounds < 1:
        parser.error("--samples and --rounds: at least 1")
    if options.seconds and not options.keep:
        parser.error("--seconds needs --keep")
    options.cores = len(os.sched_getaffinity(0))
    step = 4 if options.quick else 1
    options.batches, options.widths = BATCHES[::step], WIDTHS[::step]
    return options


def main():
    options = parse()
    found, about, threads, limits = measure(options)
    common.paragraph(f"{common.processor()}, {options.cores} cores; {about['name']}, driver {about['driver']}, {about['math']}; images per second of "
                     f"training steps, median of {options.rounds} rounds in turns; " + "; ".join(limits[:1] + limits[-1:] if len(limits) > 1 else limits) + ".")
    if lines(found) and max(lines(found)) > 2 * min(lines(found)):
        common.paragraph(f"*: the two cores were far apart: a cache line went to the other one and back in up to {max(lines(found))} ns, else in "
                         f"{min(lines(found))} and more.")
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
