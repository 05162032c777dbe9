#!/bin/sh
# The comparisons of "Deep Learning assignment 1" as one table: the same net with one choice changed at a time.
# Usage: sh tools/report-d.sh [DATA_DIR] [DEVICE] [STEPS] [DATA_NAME]
# DATA_DIR (default: $CAIRN_DATA_DIR) holds the files of DATA_NAME (default: cifar10; fashion-mnist or mnist try the comparisons where CIFAR-10 is not). Prints a
# Markdown table of test accuracies after STEPS steps (default 1500).
set -eu
cd "$(dirname "$0")/.."
data=${1:-${CAIRN_DATA_DIR:-.}}
device=${2:-opencl}
steps=${3:-1500}
name=${4:-cifar10}
cairn=${CAIRN:-build/tools/cairn}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# A row: what is changed, and the settings that change it.
row() {
    what=$1
    choice=$2
    shift 2
    for setting in "$@"; do set -- "$@" --set "$setting"; shift; done
    "$cairn" train cifar10-mlp --device "$device" --data-dir "$data" --set "data.name=$name" --set train.learning_rate=1e-3 \
        --set "train.l2=0" --set "train.steps=$steps" --set "train.evaluate_every=$steps steps" --set train.test_curve=no \
        "$@" --out "$work/run" --force --quiet --json >"$work/result.json"
    python3 - "$work/result.json" "$what" "$choice" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
print(f"| {sys.argv[2]} | {sys.argv[3]} | {100 * result['test_accuracy']:.2f} | {result['test_loss']:.4f} |", flush=True)
PY
}

echo "| changed | choice | test accuracy | test loss |"
echo "|---|---|---|---|"
row "nothing" "ReLU, N(0, 0.01^2), Adam 1e-3" train.seed=1
for init in "xavier" "xavier-uniform" "he" "he-uniform" "uniform low=-0.05 high=0.05"; do
    row "initialisation" "$init" "init.default=$init"
done
for act in elu tanh sigmoid "leakyrelu 0.01" gelu silu; do row "activation" "$act" "vars.act=$act"; done
row "regulariser" "l1 0.01" train.l1=0.01
row "regulariser" "l2 2.3" train.l2=2.3
row "optimizer" "sgd, rate 0.01" train.optimizer=sgd train.learning_rate=0.01
row "optimizer" "sgd momentum=0.9 nesterov=yes, rate 0.01" "train.optimizer=sgd momentum=0.9 nesterov=yes" train.learning_rate=0.01
row "optimizer" "adadelta, rate 1" train.optimizer=adadelta train.learning_rate=1
row "optimizer" "adagrad, rate 0.01" train.optimizer=adagrad train.learning_rate=0.01
row "optimizer" "rmsprop" train.optimizer=rmsprop
row "optimizer" "adamw decay 0.01" train.optimizer=adamw
for drop in 0.2 0.5; do row "dropout" "$drop" "vars.drop=$drop"; done
row "normalisation" "batchnorm" vars.norm=batchnorm
