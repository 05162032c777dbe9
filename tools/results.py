#!/usr/bin/env python3
"""The table of docs/results.md: trains recipes on real data with several seeds and prints a line for each.

Usage: results.py [--cairn FILE] [--data DIR] [--device D] [--seeds 1,2,3] [--log FILE] [RECIPE...]

DIR (default: $CAIRN_DATA_DIR, else ../shared/datasets) holds the folders mnist and fashion with the original files. Each
run's result is appended to FILE (default: runs/results.jsonl) when it is there; a run that is in it already is not repeated, so
that the table can be made in several sittings. The table has the report's figure, the mean of the test accuracies over
the seeds with their least and largest, and the median of the runs' seconds on this machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# recipe: (data folder, the report's figure in percent, what is compared with it)
FIGURES = {
    "mnist-sigmoid": ("mnist", 91.16, "test"),
    "mnist-sigmoid-2000": ("mnist", 80.78, "test"),
    "mnist-lenet": ("mnist", 99.9, "training"),
    "fashion-mlp4": ("fashion", 88.62, "test"),
    "fashion-mlp4-patches": ("fashion", 86.18, "test"),
    "fashion-mlp-custom": ("fashion", 86.61, "test"),
    "fashion-cnn-a": ("fashion", 87.75, "test"),
    "fashion-cnn-b": ("fashion", 89.49, "test"),
    "fashion-cnn-c": ("fashion", 90.34, "test"),
    "fashion-resnet": ("fashion", None, "test"),
    "fashion-vgg11": ("fashion", 93.0, "test"),
}


def train(options, recipe, seed):
    run = os.path.join(options.out, f"{recipe}-{seed}")
    command = [options.cairn, "train", recipe, "--device", options.device, "--seed", str(seed), "--out", run, "--force", "--json",
               "--quiet", "--data-dir", os.path.join(options.data, FIGURES[recipe][0])]
    env = dict(os.environ, CAIRN_RECIPE_DIR=os.path.join(ROOT, "data", "recipes"))
    start = time.monotonic()
    result = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"results: {recipe}, seed {seed}: cairn ended with status {result.returncode}")
    summary = json.loads(result.stdout)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        training = max(json.loads(line)["train_accuracy"] for line in file)
    return {"recipe": recipe, "seed": seed, "device": summary["device"], "seconds": time.monotonic() - start,
            "test": 100 * summary["test_accuracy"], "training": 100 * training, "epochs": summary["epochs"],
            "weights_sha256": summary["weights_sha256"]}


def row(recipe, runs):
    _, figure, what = FIGURES[recipe]
    values = [run[what] for run in runs]
    spread = f"{statistics.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else f"{values[0]:.2f}"
    report = "-" if figure is None else f"{figure:.2f}"
    reached = "" if figure is None else "yes" if min(values) >= figure else "no"
    return (f"| {recipe} | {what} | {report} | {spread} | {reached} | {len(values)} | {runs[0]['epochs']} | "
            f"{statistics.median(run['seconds'] for run in runs):.0f} | {runs[0]['device']} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cairn", default=os.path.join(ROOT, "build", "tools", "cairn"))
    parser.add_argument("--data", default=os.environ.get("CAIRN_DATA_DIR") or os.path.join(ROOT, "..", "shared", "datasets"))
    parser.add_argument("--device", default="opencl")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--out", default=os.path.join(ROOT, "runs", "results"))
    parser.add_argument("--log", default=os.path.join(ROOT, "runs", "results.jsonl"))
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    options = parser.parse_args()
    recipes = options.recipes or list(FIGURES)
    for recipe in recipes:
        if recipe not in FIGURES:
            parser.error(f"there is no figure for {recipe}; there are: {', '.join(FIGURES)}")
    done = {}
    os.makedirs(os.path.dirname(os.path.abspath(options.log)), exist_ok=True)
    if os.path.exists(options.log):
        with open(options.log, encoding="utf-8") as file:
            done = {(run["recipe"], run["seed"]): run for run in map(json.loads, file)}
    for recipe in recipes:
        for seed in map(int, options.seeds.split(",")):
            if (recipe, seed) in done:
                continue
            done[recipe, seed] = run = train(options, recipe, seed)
            with open(options.log, "a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
            print(f"{recipe}, seed {seed}: test {run['test']:.2f}, training {run['training']:.2f}, {run['seconds']:.0f} s",
                  file=sys.stderr, flush=True)
    print("| recipe | accuracy | report | ours: mean (least to largest) | reached by all | seeds | epochs | seconds | device |")
    print("|---|---|---|---|---|---|---|---|---|")
    for recipe in recipes:
        runs = [run for (name, _), run in sorted(done.items()) if name == recipe]
        if runs:
            print(row(recipe, runs))


main()
