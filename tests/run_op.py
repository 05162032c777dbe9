"""run-op on the reference: numbers in, numbers out, and what it says of what is wrong. Usage: run_op.py RUN_OP"""

import os
import struct
import subprocess
import sys
import tempfile


def run(*args):
    done = subprocess.run([sys.argv[1], *args], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def put(folder, name, layout, *numbers):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack("<%d%s" % (len(numbers), layout), *numbers))


def get(folder, name, layout):
    with open(os.path.join(folder, name), "rb") as file:
        data = file.read()
    return struct.unpack("<%d%s" % (len(data) // struct.calcsize(layout), layout), data)


def check(condition, what):
    if not condition:
        sys.exit("run_op.py: " + what)


def expect(code, words, *args):
    got, out, err = run(*args)
    check(got == code and words in err and not out, f"{args}: wanted {code} and '{words}', got {got}: {out}{err}")


def main():
    line = "sgd count=3 decay_count=1 lr=0.5 momentum=0.5 l2=2"
    check(run("--list", line) == (0, "w float32 inout 3\ng float32 in 3\nv float32 inout 3\n", ""), "--list sgd")
    check(run("--list", "gather count=2 item=3 total=4")[1].splitlines()[:3] ==
          ["table uint8 in 12", "labels uint8 in 4", "indices int32 in 2"], "--list gather")
    with tempfile.TemporaryDirectory() as folder:
        for name, values in (("w", (1, 2, 3)), ("g", (4, 8, -8)), ("v", (0, 2, 4))):
            put(folder, name, "f", *values)
        for options in ([], ["--device", "reference", "--math", "exact", "--variant", "plain"]):
            check(run(*options, line, folder) == (0, "", ""), "sgd")
        # v: 0.5 v + g, g + 2 w where it decays; w: w - 0.5 v; twice.
        check(get(folder, "v", "f") == (0.5 * 6 + 4 + 2 * -2, 12.5, -11), "v of sgd: %s" % (get(folder, "v", "f"),))
        check(get(folder, "w", "f") == (-2 - 1.5, -8.75, 11.5), "w of sgd: %s" % (get(folder, "w", "f"),))
        check(sorted(os.listdir(folder)) == ["g", "v", "w"], "other files appear")

        put(folder, "x", "f", 1, -2, 3, 5, 7, -6)
        check(run("reduce c=2 n2=3", folder)[0] == 0, "reduce")
        check(get(folder, "y", "f") == (2, 6), "y of reduce")
        put(folder, "table", "B", *range(12))
        put(folder, "labels", "B", 9, 8, 7, 6)
        put(folder, "indices", "i", 2, 0)
        check(run("gather count=2 item=3 total=4 shift=1 scale=2", folder)[0] == 0, "gather")
        check(get(folder, "x", "f") == (10, 12, 14, -2, 0, 2) and get(folder, "y", "i") == (7, 9), "gather's results")

        put(folder, "g", "f", 1, 2)
        expect(2, "has 8 bytes; g of this sgd is 3 float32, 12 bytes", line, folder)
        os.remove(os.path.join(folder, "v"))
        put(folder, "g", "f", 1, 2, 3)
        expect(2, "/v", line, folder)
        expect(2, "sgd has no variant", "--variant", "huge", line, folder)
        expect(2, "device 'nowhere' is unknown", "--device", "nowhere", line, folder)
    expect(2, "sgd has no field 'sizes'", "sgd sizes=3", "/tmp")
    expect(2, "usage:", line)
    expect(2, "usage:", "--math", "rough", line, "/tmp")
    expect(2, "usage:", "--device")
    expect(2, "usage:", "--list", line, "/tmp")
    print("run-op does what it says")


main()
