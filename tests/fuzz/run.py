#!/usr/bin/env python3
"""run.py FOLDER SECONDS [TARGET...]: what tests/fuzz/run.sh does once the targets are built in FOLDER/build."""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = 2
SLOW = 5  # seconds of processor time that an input may take
LIMITS = ['-timeout=60', '-rss_limit_mb=1024', '-malloc_limit_mb=512', '-max_len=8192', f'-report_slow_units={SLOW}', '-print_final_stats=1']


def read(path):
    with open(path, encoding='latin-1') as source:
        return source.read()


def run_once(folder, seeds, target, seconds):
    """One process until its time is over or something is found; returns what it said."""
    corpus, regressions = os.path.join(folder, 'corpus', target), os.path.join(HERE, 'regressions', target)
    words = os.path.join(seeds, target + '.dict')
    os.makedirs(corpus, exist_ok=True)
    command = [os.path.join(folder, 'build', 'tests', 'fuzz', 'fuzz-' + target), *LIMITS, f'-max_total_time={seconds}',
               f'-artifact_prefix={os.path.join(folder, "findings", target)}-']
    if os.path.exists(words):
        command.append('-dict=' + words)
    command += [corpus, os.path.join(seeds, target)] + ([regressions] if os.path.isdir(regressions) else [])
    log = os.path.join(folder, 'logs', target + '.txt')
    with open(log, 'w', encoding='latin-1') as out, tempfile.TemporaryDirectory(dir='/dev/shm' if os.path.isdir('/dev/shm') else None) as place:
        subprocess.run(command, stdout=out, stderr=out, check=False,
                       env={**os.environ, 'TMPDIR': place, 'ASAN_OPTIONS': 'detect_leaks=1:allocator_may_return_null=1'})
    return read(log)


def number(text, pattern):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def really_slow(folder, target):
    """Inputs that took long by the clock, which may have stood still: those that take as long alone, by the processor. With the longest."""
    found, longest = [], 0
    findings = os.path.join(folder, 'findings')
    for name in sorted(os.listdir(findings)):
        if not name.startswith((target + '-slow-unit', target + '-timeout')):
            continue
        path = os.path.join(findings, name)
        binary = os.path.join(folder, 'build', 'tests', 'fuzz', 'fuzz-' + target)
        with subprocess.Popen([binary, '-timeout=300', path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as alone:
            usage = os.wait4(alone.pid, 0)[2]
        spent = usage.ru_utime + usage.ru_stime
        longest = max(longest, spent)
        if spent >= SLOW:
            found.append(path)
        else:
            os.remove(path)
    return found, longest


def run_target(folder, seeds, target, seconds):
    row = {'target': target, 'executions': 0, 'edges': 0, 'found': 0, 'slowest': 0, 'peak': 0}
    end = time.monotonic() + seconds
    while row['found'] < 5 and (left := round(end - time.monotonic())) >= 1:
        text = run_once(folder, seeds, target, left)
        row['executions'] += number(text, r'stat::number_of_executed_units: (\d+)') or number(text, r'#(\d+)\t')
        row['edges'] = max(row['edges'], number(text, r' cov: (\d+)'))
        row['peak'] = max(row['peak'], number(text, r'stat::peak_rss_mb: *(\d+)'), number(text, r' rss: (\d+)Mb'))
        slow, longest = really_slow(folder, target)
        row['slowest'] = max(row['slowest'], longest)
        if slow:
            row['found'] += 1
            print(f'{target}: takes {longest:.0f} s:', *slow, sep='\n    ', flush=True)
        elif 'Done ' not in text and 'ERROR: libFuzzer: timeout' not in text:
            row['found'] += 1
            said = re.findall(r'.*(?:not so:|ERROR:|runtime error:|Test unit written to).*', text)
            print(f'{target}:', *(said or [text[-2000:]]), sep='\n    ', flush=True)
    return row


def main():
    folder, seconds, targets = os.path.abspath(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    built = os.path.join(folder, 'build', 'tests', 'fuzz')
    targets = targets or sorted(name.removeprefix('fuzz-') for name in os.listdir(built) if re.fullmatch(r'fuzz-[a-z]+', name))
    for name in ('findings', 'logs', 'seeds'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    seeds = os.path.join(folder, 'seeds')
    subprocess.run([sys.executable, os.path.join(HERE, 'seeds.py'), os.path.join(folder, 'build', 'tools', 'cairn'), seeds], check=True,
                   env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'})
    each = max(seconds / len(targets), 2)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        rows = list(pool.map(lambda target: run_target(folder, seeds, target, each), targets))
    print(f'{"target":12} {"executions":>11} {"edges":>6} {"slow":>8} {"peak":>8} {"findings":>8}')
    for row in rows:
        print(f'{row["target"]:12} {row["executions"]:11} {row["edges"]:6} {row["slowest"]:6.1f} s {row["peak"]:5} MB {row["found"]:8}')
    found = sum(row['found'] for row in rows)
    print(f'{"together":12} {sum(row["executions"] for row in rows):11} in {each * len(rows):.0f} s, {found} findings')
    sys.exit(found > 0 or any(row['executions'] < 100 for row in rows))


main()
