#!/usr/bin/env python3
"""run.py [OPTION]... BUILD: changes kernels and reference one place at a time and asks the checks of their family to see it.

BUILD is a folder of a finished build with tests. The mutants are listed in kernels.tsv and reference.tsv, those that no check can
see in equivalents.tsv, each with its reason. What came out is kept in BUILD/mutants.jsonl: a run that was ended goes on where it
was, and a mutant of a file that has changed since is run again. Exit status: 1 where one survives that is not listed as equivalent."""
import argparse
import collections
import hashlib
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import choose  # noqa: E402
import cut  # noqa: E402
import kernels  # noqa: E402
import plant  # noqa: E402
import reference  # noqa: E402

KILLED = ("difference", "probe", "error", "crash", "hang", "simulator")


def arguments():
    parser = argparse.ArgumentParser(description="Runs the mutants of the kernels and of the reference.")
    parser.add_argument("build", help="folder of a finished build with tests")
    parser.add_argument("--update", action="store_true", help="bring the lists up to date with the code, and run nothing")
    parser.add_argument("--draw", type=int, metavar="N", help="run N of them only, the same each time")
    parser.add_argument("--only", action="append", default=[], metavar="ID|FILE", help="only this mutant, or those of this file")
    parser.add_argument("--again", action="store_true", help="run also what has a result; with --only, to try a survivor again")
    parser.add_argument("--jobs", type=int, help="at a time (as many as there are processors)")
    parser.add_argument("--efforts", type=int, metavar="N", help="stop after so many rounds of more and more cases")
    parser.add_argument("--table", action="store_true", help="print the results that are there, by file and kind, and run nothing")
    return parser.parse_args()


class Results:
    """One JSON value a line, later lines count. A result is of a mutant and of the text of its file."""

    def __init__(self, path):
        self.path, self.rows = path, {}
        if os.path.exists(path):
            with open(path) as file:
                for line in file:
                    if line.endswith("\n"):
                        row = json.loads(line)
                        self.rows[row["id"]] = row

    def of(self, mutant, digest):
        row = self.rows.get(mutant.id)
        return row if row and row["text"] == digest else None

    def add(self, row):
        self.rows[row["id"]] = row
        with open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def score(name, mutants, results, texts, equivalents):
    """Prints how many were killed and by what; returns the survivors that are not equivalent."""
    counts, survivors, missing = collections.Counter(), [], 0
    for mutant in mutants:
        row = results.of(mutant, digest_of(texts[mutant.file])) if mutant.file in texts else None
        status = "equivalent" if mutant.id in equivalents else row["status"] if row else "not run"
        counts[status] += 1
        if status == "survived":
            survivors.append((mutant, row))
    killed = sum(counts[status] for status in KILLED)
    judged = killed + counts["survived"]
    print(f"{name}: {killed} of {judged} killed" + (f" ({100 * killed / judged:.1f} %)" if judged else "") + "; " +
          ", ".join(f"{status} {count}" for status, count in sorted(counts.items())))
    return survivors


def table(mutants, results, equivalents):
    by_file, by_kind = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    for mutant in mutants:
        row = results.rows.get(mutant.id)
        status = "equivalent" if mutant.id in equivalents else row["status"] if row else "not run"
        status = "killed" if status in KILLED else status
        by_file[mutant.file][status] += 1
        by_kind[mutant.kind][status] += 1
    for title, rows in (("file", by_file), ("kind", by_kind)):
        print(f"\n| {title} | mutants | killed | equivalent | survived |\n|---|---|---|---|---|")
        for name, count in sorted(rows.items()):
            print(f"| {name} | {sum(count.values())} | {count['killed']} | {count['equivalent']} | {count['survived']} |")


def run_all(todo, benches, results, texts, jobs, efforts):
    def work(mutant):
        text = texts[mutant.file]
        bench = benches[0 if mutant.file.startswith("cl/") else 1]
        status, how = bench.run(mutant, cut.apply(mutant, text), cut.find(mutant, text), efforts)
        row = dict(id=mutant.id, text=digest_of(text), status=status, how=how)
        results.add(row)
        print(f"{mutant.id} {status}: {mutant.file} {mutant.kind}: {mutant.line}  [{mutant.old} -> {mutant.new}]\n    {how}", flush=True)
        return row

    return list(plant.each(work, todo, jobs))


def main():
    options = arguments()
    source, build = os.path.dirname(os.path.dirname(HERE)), os.path.abspath(options.build)
    lists = {name: choose.read(os.path.join(HERE, name + ".tsv")) for name in ("kernels", "reference")}
    equivalents = choose.read_equivalents(os.path.join(HERE, "equivalents.tsv"))
    if options.update:
        return choose.update(source, lists, equivalents, HERE)
    texts = choose.texts_of(source)
    every = lists["kernels"] + lists["reference"]
    stale = [mutant for mutant in every if cut.find(mutant, texts.get(mutant.file, "")) is None]
    live = [mutant for mutant in every if mutant not in stale]
    if stale:
        print(f"{len(stale)} of {len(every)} mutants are of lines that are no longer there: run.py --update puts others in their place")
    results = Results(os.path.join(build, "mutants.jsonl"))
    if options.table:
        table(live, results, equivalents)
        return 0
    wanted = [mutant for mutant in live if mutant.id not in equivalents or mutant.id in options.only]
    if options.only:
        wanted = [mutant for mutant in wanted if mutant.id in options.only or mutant.file in options.only]
    if options.draw:
        wanted = choose.draw(wanted, options.draw)
    # In no order of files, so that a part of them tells of all.
    todo = [mutant for mutant in sorted(wanted, key=choose.order_of) if options.again or not results.of(mutant, digest_of(texts[mutant.file]))]
    with tempfile.TemporaryDirectory() as scratch:
        benches = kernels.Bench(build, source, scratch), reference.Bench(build, source, scratch)
        run_all(todo, benches, results, texts, options.jobs, options.efforts)
    chosen = options.only or options.draw
    survivors = []
    for name, mutants in lists.items():
        mutants = [mutant for mutant in mutants if mutant not in stale and (not chosen or mutant in wanted)]
        survivors += score(name, mutants, results, texts, equivalents) if mutants else []
    for mutant, row in survivors:
        print(f"SURVIVED {mutant.id} {mutant.file} {mutant.kind}: {mutant.line}  [{mutant.old} -> {mutant.new}]")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
