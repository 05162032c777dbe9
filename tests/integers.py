#!/usr/bin/env python3
"""integers.py CAIRN CL: fma, division and square root done in integers (cl/exact.h), by which only devices compute whose own are wrong.

test_functions holds each to the host's. Here, in a copy of the kernels, they take the place of the device's own: all that the
probe lists of them must come out right, and so must operators made of them."""
import os
import sys
import tempfile

import plant
from mutants.kernels import IN_INTEGERS


def main():
    cairn, good = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(os.path.join(good, "exact.h")) as file:
        text = IN_INTEGERS + file.read()
    with tempfile.TemporaryDirectory() as scratch:
        env = plant.environment(scratch, plant.copy_with(good, scratch, "exact.h", text))
        for arguments in (["devices", "--probe"],
                          ["check", "--op", "gemm", "--op", "activation", "--op", "adam", "--cases", "15", "--variant", "gemm=small"]):
            process = plant.run([cairn, *arguments], env)
            print(process.stdout + process.stderr, end="")
            if process.returncode != 0 or arguments[0] == "devices" and process.stdout.count("exact     yes\n") < 2:
                raise SystemExit(f"{' '.join(arguments)}: wrong (exit {process.returncode})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
