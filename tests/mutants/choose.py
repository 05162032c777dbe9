"""The lists of mutants: which are chosen, read, written, and brought up to date."""
import collections
import concurrent.futures
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import cut
import kernels
import reference

HOW_MANY = {"kernels": 415, "reference": 205}
HEADER = "# id\tkind\tfile\twhich of the lines with this text\tcolumn\told\tnew\tline\n"
# Lines whose change shows in no result by their nature: hints for speed.
NO_PROGRAM = {"028bec36"}  # which a compiler takes as the file stands, but not with the options that it is built with
SPEED_ONLY = re.compile(r"\b(UNROLL|ROLL|prefetch|reqd_work_group_size|vec_type_hint)\b")


def texts_of(source):
    """The files that mutants are made of, by their path."""
    names = glob.glob("cl/*.cl", root_dir=source) + glob.glob("cl/*.h", root_dir=source)
    names = [name for name in names if os.path.basename(name) not in kernels.LEFT_OUT]
    names += glob.glob("src/reference/*.c", root_dir=source) + ["src/base/exact.h", "src/base/random.c", "src/base/random.h"]
    texts = {}
    for name in sorted(names):
        with open(os.path.join(source, name)) as file:
            texts[name] = file.read()
    return texts


def read(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [cut.Mutant(row[0], row[1], row[2], int(row[3]), int(row[4]), row[5], row[6], row[7]) for row in rows]


def write(path, mutants):
    with open(path, "w") as file:
        file.write(HEADER)
        for mutant in mutants:
            file.write("\t".join(map(str, mutant)) + "\n")


def read_equivalents(path):
    """Reasons by id; a line is: id, file, reason."""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return {row[0]: row[2] for row in (line.rstrip("\n").split("\t") for line in file if not line.startswith("#"))}


def order_of(mutant):
    return hashlib.sha256(("order " + mutant.id).encode()).digest()


def draw(mutants, count):
    """So many, the same each time: one of every seventh is of the reference, each is of another file."""
    drawn, files = [], set()
    for mutant in sorted(mutants, key=order_of):
        if mutant.file not in files and len(drawn) < count:
            drawn.append(mutant)
            files.add(mutant.file)
    return drawn


def shares(counts, total):
    """How many of each file: by the root of how much can be changed in it, so that small files get their share."""
    weight = sum(count ** 0.5 for count in counts.values())
    return {name: max(3, round(total * count ** 0.5 / weight)) for name, count in counts.items()}


def by_kind(mutants):
    """In an order that takes the kinds in turn."""
    queues = collections.defaultdict(collections.deque)
    for mutant in sorted(mutants, key=order_of):
        queues[mutant.kind].append(mutant)
    while any(queues.values()):
        for kind in sorted(queues):
            if queues[kind]:
                yield queues[kind].popleft()


def compiles(mutant, text, source):
    """Whether a compiler takes it: what is no program is no mutant."""
    changed = cut.apply(mutant, text)
    with tempfile.TemporaryDirectory() as scratch:
        if mutant.file.startswith("cl/"):
            folder = os.path.join(scratch, "cl")
            shutil.copytree(os.path.join(source, "cl"), folder)
            name = os.path.basename(mutant.file)
            with open(os.path.join(folder, name), "w") as file:
                file.write(changed)
            users = [name] if name.endswith(".cl") else users_of(folder, name)
            commands = [["clang-15", "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header", "-fsyntax-only", "-w", "-Werror=implicit-function-declaration",
                         os.path.join(folder, user)] for user in users[:3]]
        else:
            path = os.path.join(scratch, mutant.file)
            os.makedirs(os.path.dirname(path))
            with open(path, "w") as file:
                file.write(changed)
            units = [path] if path.endswith(".c") else [os.path.join(source, unit) for unit in reference.INCLUDED[os.path.basename(path)]]
            commands = [["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-w", "-Werror=implicit-function-declaration", "-fsyntax-only", "-I" + os.path.join(scratch, "src"),
                         "-I" + os.path.join(source, "src"), "-I" + os.path.join(source, "include"), unit] for unit in units]
        return all(subprocess.run(command, capture_output=True).returncode == 0 for command in commands)


def users_of(folder, header):
    """The kernel files that a header gets into."""
    found, wanted = [], [header]
    for name in wanted:
        for path in sorted(glob.glob(os.path.join(folder, "*"))):
            with open(path) as file:
                if f'#include "{name}"' in file.read() and os.path.basename(path) not in wanted + found:
                    (found if path.endswith(".cl") else wanted).append(os.path.basename(path))
    return found


def fill(kept, candidates, share, text, source):
    """Those kept of a file, with others behind them up to its share."""
    taken, lines = list(kept), {(mutant.line, mutant.column) for mutant in kept}
    for mutant in by_kind(candidates):
        if len(taken) >= share:
            break
        if (mutant.line, mutant.column) in lines or mutant.id in NO_PROGRAM or SPEED_ONLY.search(mutant.line) or \
                not compiles(mutant, text, source):
            continue
        taken.append(mutant)
        lines.add((mutant.line, mutant.column))
    return taken


def update(source, lists, equivalents, here):
    texts = texts_of(source)
    for name, total in HOW_MANY.items():
        files = {path: text for path, text in texts.items() if path.startswith("cl/") == (name == "kernels")}
        candidates = {path: cut.mutants_of(path, text) for path, text in files.items()}
        quota = shares({path: len(mutants) for path, mutants in candidates.items()}, total)
        kept = collections.defaultdict(list)
        for mutant in lists[name]:
            if mutant in candidates.get(mutant.file, []) and mutant.id not in NO_PROGRAM and not SPEED_ONLY.search(mutant.line):
                kept[mutant.file].append(mutant)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            chosen = list(pool.map(lambda path: fill(kept[path], candidates[path], quota[path], files[path], source), files))
        mutants = [mutant for group in chosen for mutant in group]
        gone = len(lists[name]) - sum(map(len, kept.values()))
        write(os.path.join(here, name + ".tsv"), mutants)
        print(f"{name}: {len(mutants)} mutants of {len(files)} files; {gone} are gone, "
              f"{len(mutants) - len(lists[name]) + gone} are new")
    present = {mutant.id for name in lists for mutant in read(os.path.join(here, name + ".tsv"))}
    for identity in sorted(set(equivalents) - present):
        print(f"equivalents.tsv: {identity} is no longer listed: take it out")
    return 0
