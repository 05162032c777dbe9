"""The program from outside: `cairn cache`. Usage: cli_cache.py CAIRN. See cli.py.

Entries of every kind and state are laid out as Cairn writes them; each state is told, and pruning takes out what it says and
nothing else: no file that Cairn did not write, nothing behind a link. A training goes on while its cache is taken away.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import cli
from cli import TINY, check

DAY = 24 * 3600
ZEROS = "0" * 64
SHORT = ["--epochs", "2", "--limit-train", "300", "--limit-test", "100"]


def cache(b, *parts):
    return os.path.join(b.work, "cache", "cairn", *parts)


def lay(b, name, data, days=0):
    path = b.write(os.path.join("cache", "cairn", name), data)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def owner(device, kernels, **other):
    d = dict(device, **other)
    return (f"device {d['name']}\nvendor {d['vendor']}\nplatform {d['platform']}\ndriver {d['driver']}\nversion {d['version']}\n"
            f"limits 1 2 3\nkernels {kernels}\n\n").encode()


def kernel(text, form=2, payload=b"binary"):
    key = hashlib.sha256(text).hexdigest().encode()
    digest = hashlib.sha256(payload).hexdigest().encode()
    return b"CAIRNKRN" + struct.pack("<IIQ", form, len(text), len(payload)) + key + digest + payload + text


def listed(b, *words):
    r = b.run("cache", "list", "--json", *words)
    check(r.returncode == 0 and r.stderr == "", "list", r)
    found = {}
    for g in json.loads(r.stdout)["groups"]:
        found[g["kind"], g["state"]] = found.get((g["kind"], g["state"]), 0) + g["files"]
    return found


def current(b):
    """An OpenCL device and the digest of its kernels, from the cache that the tests share; the reference where there is none."""
    devices = json.loads(b.run("devices", "--json").stdout)
    shared = dict(b.env, XDG_CACHE_HOME=os.environ.get("XDG_CACHE_HOME", os.path.join(b.work, "shared")))
    if len(devices) == 1:
        return devices[0], ZEROS, None
    run = [b.cairn, "train", TINY, "--device", devices[1]["spec"], *SHORT, "--out", os.path.join(b.work, "first"), "--json"]
    r = subprocess.run(run, env=shared, cwd=b.here, capture_output=True, text=True, timeout=600)
    check(r.returncode == 0, "a training", r)
    groups = json.loads(subprocess.run([b.cairn, "cache", "list", "--json"], env=shared, capture_output=True, text=True, timeout=60).stdout)
    found = [g for g in groups["groups"] if g["kind"] == "kernels" and g["state"] == "current" and g["device"] == devices[1]["name"]]
    check(len(found) == 1 and found[0]["files"] > 3, f"the kernels of a training: {groups}")
    return devices[1], found[0]["kernels"], json.loads(r.stdout)["weights_sha256"]


def lay_all(b, device, kernels):
    """{what: path}"""
    shutil.rmtree(cache(b), ignore_errors=True)
    name = iter(f"{i:064x}" for i in range(100))
    def kept(*args, days=0, **other):
        text = owner(*args, **other)
        return lay(b, f"kernels/{next(name)}.bin", kernel(text), days)
    paths = {
        "current": kept(device, kernels),
        "current, long ago": kept(device, kernels, days=40),
        "absent": kept(device, kernels, name="another card"),
        "absent platform, long ago": kept(device, kernels, platform="Somebody's", days=40),
        "other kernels": kept(device, "f" * 64),
        "other driver": kept(device, kernels, driver="0.1"),
        "of format 1": lay(b, f"kernels/{next(name)}.bin", kernel(owner(device, kernels), form=1)),
        "cut off": lay(b, f"kernels/{next(name)}.bin", kernel(owner(device, kernels))[:-70]),
        "failures": lay(b, f"failures/{5:032x}.txt", b"cairn failures 1\n" + owner(device, kernels) + b"variant gemm cpu\thow\n"),
        "old failures": lay(b, f"failures/{6:032x}.txt", b"cairn failures 1\n" + owner(device, kernels, driver="0.1")),
        "of the dead": lay(b, f"kernels/{7:064x}.bin.tmp.4194999", b"half", 1),
        "of the living": lay(b, f"kernels/{8:064x}.bin.tmp.{os.getpid()}", b"half", 1),
        "young": lay(b, f"kernels/{9:064x}.bin.tmp.4194999", b"half"),
        "foreign name": lay(b, "kernels/notes.txt", b"mine", 400),
        "foreign content": lay(b, f"kernels/{'a' * 64}.bin", b"mine", 400),
        "foreign table": lay(b, f"tune/{'a' * 32}.json", b'{"format": "other 1"}', 400),
        "no JSON": lay(b, f"tune/{'b' * 32}.json", b"{", 400),
        "foreign failures": lay(b, f"failures/{'a' * 32}.txt", b"mine", 400),
    }
    r = b.run("tune", "--device", "reference", "--op", "gemm m=5 n=6 k=7", "--seconds", "0.001")
    check(r.returncode == 0, "a table", r)
    table = re.search(r"kept in (.*)\n", r.stdout)[1]
    paths["table"] = table
    with open(table, encoding="utf-8") as file:
        other = json.load(file)
    other["for"]["sources"] = "e" * 64
    paths["other table"] = lay(b, f"tune/{'c' * 32}.json", json.dumps(other))
    paths["behind a link"] = b.write("behind.bin", kernel(owner(device, "f" * 64)))
    os.symlink(paths["behind a link"], cache(b, "kernels", f"{'d' * 64}.bin"))
    os.makedirs(cache(b, "kernels", f"{'e' * 64}.bin"))
    return paths


def gone(paths):
    return {what for what, path in paths.items() if not os.path.exists(path)}


USELESS = {"other kernels", "other driver", "of format 1", "cut off", "old failures", "of the dead", "other table"}


def test_states(b, device, kernels):
    lay_all(b, device, kernels)
    found = listed(b)
    wanted = {("kernels", "current"): 2, ("kernels", "absent device"): 2, ("kernels", "other kernels"): 1, ("kernels", "other driver"): 1,
              ("kernels", "unreadable"): 2, ("tune", "current"): 1, ("tune", "other kernels"): 1, ("failures", "current"): 1,
              ("failures", "other driver"): 1, ("temporary", "unreadable"): 1, ("foreign", "unreadable"): 9}
    check(found == wanted, f"states: {found}")
    r = b.run("cache", "list")
    check(r.returncode == 0 and "another card" in r.stdout and "in " + cache(b) in r.stdout and "Somebody's" in r.stdout, "as text", r)


def test_prune(b, device, kernels):
    for words, wanted in (
            (["--dry-run"], set()), (["--dry-run", "--all"], set()), ([], USELESS),
            (["--older-than", "30"], USELESS | {"current, long ago", "absent platform, long ago"}),
            (["--older-than", "50"], USELESS),
            (["--all"], USELESS | {"current", "current, long ago", "absent", "absent platform, long ago", "table"})):
        paths = lay_all(b, device, kernels)
        before = sum(listed(b).values())
        r = b.run("cache", "prune", *words, "--json")
        told = json.loads(r.stdout)
        check(r.returncode == 0 and r.stderr == "" and gone(paths) == wanted, f"prune {words}: gone {sorted(gone(paths))}", r)
        check(told["removed_files"] + told["kept_files"] == before and told["dry_run"] == ("--dry-run" in words), f"prune {words}", r)
        check("--dry-run" in words or told["removed_files"] == len(wanted), f"prune {words}: told {told['removed_files']}", r)
        check(os.path.islink(cache(b, "kernels", f"{'d' * 64}.bin")), f"prune {words}: a link")
    paths = lay_all(b, device, kernels)
    r = b.run("cache", "prune")
    check(r.returncode == 0 and re.search(r"^7 files, .* removed; 15 files, .* kept$", r.stdout, re.M), "as text", r)
    r = b.run("cache", "prune")
    check(r.returncode == 0 and r.stdout.startswith("0 files, 0 bytes removed"), "again", r)


def test_odd_places(b):
    shutil.rmtree(cache(b), ignore_errors=True)
    check(listed(b) == {}, "no cache")
    r = b.run("cache", "prune")
    check(r.returncode == 0 and "0 files" in r.stdout, "nothing to prune", r)
    b.write("cache/cairn", "a file")
    b.refused("a file", 2, ["cache/cairn is no folder", "XDG_CACHE_HOME"], "cache", "list")
    os.remove(cache(b))
    os.symlink(os.path.join(b.work, "nowhere"), cache(b))
    b.refused("a link to nothing", 2, "is no folder", "cache", "prune")
    os.remove(cache(b))
    os.makedirs(cache(b))
    b.write("cache/cairn/tune", "a file")
    b.refused("a file in a folder's place", 2, "tune is no folder", "cache", "prune", "--all")
    os.remove(cache(b, "tune"))
    os.symlink("tune", cache(b, "tune"))
    b.refused("a link to itself", 3, "cannot read the folder", "cache", "list")
    os.remove(cache(b, "tune"))
    if os.geteuid():
        path = lay(b, f"kernels/{1:064x}.bin", kernel(b"", form=1))
        os.chmod(cache(b, "kernels"), 0o555)
        b.refused("a folder that is read-only", 3, ["cannot remove", path], "cache", "prune")
        os.chmod(cache(b, "kernels"), 0o000)
        b.refused("a folder that cannot be read", 3, "cannot read the folder", "cache", "list")
        os.chmod(cache(b, "kernels"), 0o755)
    else:
        print("run as root, who may read and remove everything: folders without permission are not tried")
    env = {key: value for key, value in b.env.items() if key not in ("XDG_CACHE_HOME", "HOME")}
    r = subprocess.run([b.cairn, "cache", "list"], env=env, cwd=b.here, capture_output=True, text=True, timeout=60)
    check(r.returncode == 3 and "set HOME or XDG_CACHE_HOME" in r.stderr and r.stderr.count("\n") == 1, "no home", r)
    b.refused("words", 2, "there are: list, prune", "cache", "clear")
    b.refused("no word", 2, "one of list, prune", "cache")
    b.refused("days", 2, "--older-than: '0'", "cache", "prune", "--older-than", "0")
    shutil.rmtree(cache(b))


def test_running(b, device, digest):
    """A training from a warm cache that is taken away again and again ends in the same weights."""
    shared = os.environ.get("XDG_CACHE_HOME", os.path.join(b.work, "shared"))
    shutil.copytree(os.path.join(shared, "cairn", "kernels"), cache(b, "kernels"), dirs_exist_ok=True)
    out = os.path.join(b.work, "second")
    run = [b.cairn, "train", TINY, "--device", device["spec"], *SHORT, "--out", out, "--json", "--quiet"]
    process = subprocess.Popen(run, env=b.env, cwd=b.here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    prunes = 0
    while process.poll() is None:
        prunes += 1
        r = b.run("cache", "prune", "--all")
        check(r.returncode == 0, "prune beside a training", r)
        time.sleep(0.3)
    told, errors = process.communicate()
    check(process.returncode == 0 and prunes > 0 and json.loads(told)["weights_sha256"] == digest, f"beside a training: {errors}")


def test_cache(b):
    device, kernels, digest = current(b)
    test_states(b, device, kernels)
    test_prune(b, device, kernels)
    test_odd_places(b)
    if digest:
        test_running(b, device, digest)
    else:
        print("no OpenCL device: no training while its cache is pruned")


if __name__ == "__main__":
    cli.run_tests([test_cache])
