#!/usr/bin/env python3
"""offline.py [--json] [--quick] [--file FILE.cl] [TARGET...]: see offline.sh.

Programs and their options are those of src/opencl/builds.h, and every other kernel file of cl/meson.build without options but
those for CPUs, whose kernels have one work-item in a group; a literal with options that builds.h does not know is an error, so that the list cannot go stale."""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STANDARD = ['-cl-std=CL1.2', '-cl-fp32-correctly-rounded-divide-sqrt']
CLANGS = ['clang-15', 'clang-16', 'clang-17', 'clang-18', 'clang-19', 'clang']
# Kernels that a GPU runs only where planes are larger than 2^31 elements: they may spill. So may those of one work-item in a group.
CPU_SHAPED = re.compile(r'_(cpu|rows|columns)$')
KERNEL = re.compile(r'__kernel\s+((?:__attribute__\s*\(\(.*?\)\)\)?\s+)*)void\s+(\w+)\s*\(', re.S)

# Per SIMD: registers of a lane, their granule, waves at most; lanes of a wave; local memory of a compute unit and its SIMDs.
AMD = {
    'gfx906': dict(registers=256, granule=4, waves=10, lanes=64, local=65536, simds=4),
    'gfx90a': dict(registers=512, granule=8, waves=8, lanes=64, local=65536, simds=4),
    'gfx1030': dict(registers=1024, granule=16, waves=16, lanes=32, local=65536, simds=2),
    'gfx1100': dict(registers=1536, granule=24, waves=16, lanes=32, local=65536, simds=2),
}
# Per multiprocessor: registers, warps and blocks at most, shared memory and what a block takes besides; 4 schedulers.
NVIDIA = {
    'sm_70': dict(registers=65536, warps=64, blocks=32, local=98304, extra=0),
    'sm_75': dict(registers=65536, warps=32, blocks=16, local=65536, extra=0),
    'sm_80': dict(registers=65536, warps=64, blocks=32, local=167936, extra=1024),
    'sm_86': dict(registers=65536, warps=48, blocks=16, local=102400, extra=1024),
    'sm_90': dict(registers=65536, warps=64, blocks=32, local=233472, extra=1024),
}
INTEL = ['tgllp', 'acm-g10']
QUICK = ['gfx906', 'sm_80']


def run(command):
    return subprocess.run(command, capture_output=True, text=True)


# What is compiled.

def builds():
    """(file, options) of every program that a GPU gets."""
    out = subprocess.run([shutil.which('cc') or 'gcc', '-E', '-P', '-x', 'c', '-I', os.path.join(ROOT, 'src'), '-'],
                         input='#include "opencl/builds.h"\nOCL_BUILDS(BUILD)\n', capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(out.stderr)
    pairs = []
    for file, options in re.findall(r'BUILD\(\s*"([^"]+)"\s*,\s*((?:"[^"]*"\s*)+)\)', out.stdout):
        pairs.append((file, ''.join(re.findall(r'"([^"]*)"', options))))
    if not pairs:
        raise SystemExit('src/opencl/builds.h lists nothing')
    with open(os.path.join(ROOT, 'cl', 'meson.build'), encoding='utf-8') as text:
        files = re.findall(r"'([\w-]+\.cl)'", text.read())
    listed = {file for file, _ in pairs}
    if listed - set(files):
        raise SystemExit(f'src/opencl/builds.h lists files that are not there: {listed - set(files)}')
    return pairs + [(file, '') for file in files if file not in listed and not all_for_cpus(file)]


def kernels_of(file):
    """(name, whether it has one work-item in a group) of each kernel; macros may make more."""
    with open(os.path.join(ROOT, 'cl', file), encoding='utf-8') as text:
        return [(name, 'size(1, 1, 1)' in attributes) for attributes, name in KERNEL.findall(text.read())]


def all_for_cpus(file):
    kernels = kernels_of(file)
    return bool(kernels) and all(alone for _, alone in kernels)


def default_on_gpus(file, kernel):
    return not CPU_SHAPED.search(kernel) and (kernel, True) not in kernels_of(file)


def stray_options():
    """Literals with options of their own outside builds.h. Those with a % are made for a CPU's vectors; program.c's hold for all."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, 'src', 'opencl', '*.c'))):
        if os.path.basename(path) == 'program.c':
            continue
        with open(path, encoding='utf-8') as text:
            for number, line in enumerate(text, 1):
                for literal in re.findall(r'"(-D[^"]*)"', line):
                    if '%' not in literal:
                        found.append(f'{os.path.relpath(path, ROOT)}:{number}: "{literal}" is not in src/opencl/builds.h')
    return found


# Reading what compilers wrote.

def share_of_fma(lines, is_fma, is_code, is_edge):
    """fma and all instructions of the straight code with most fma: the body of the innermost loop, unrolled or not."""
    best, fma, code = (0, 0), 0, 0
    for line in lines + ['']:
        if is_edge(line) or line == '':
            if fma > best[0]:
                best = (fma, code)
            fma = code = 0
        elif is_code(line):
            code += 1
            fma += is_fma(line)
    return best if best[0] >= 4 else None


def amd_kernels(text, limits):
    bodies = {}
    for part in re.split(r'^\s*\.globl\s+', text, flags=re.M)[1:]:
        bodies[part.split()[0]] = part.split('.section', 1)[0].split('\n')
    meta = text.split('amdhsa.kernels:', 1)[-1]
    for entry in re.split(r'^  - ', meta, flags=re.M)[1:]:
        field = dict(re.findall(r'^    (\.[a-z_]+):\s+(\S+)', '    ' + entry.lstrip(), flags=re.M))
        field.update(dict(re.findall(r'^    (\.[a-z_]+):\s+(\S+)', entry, flags=re.M)))
        if '.name' not in field:
            continue
        name, vgprs, local = field['.name'], int(field['.vgpr_count']), int(field['.group_segment_fixed_size'])
        group = int(field.get('.max_flat_workgroup_size', 256))
        required = re.search(r'\.reqd_workgroup_size:\s*\n((?:\s+- \d+\n)+)', entry)
        if required:
            group = 1
            for side in re.findall(r'\d+', required[1]):
                group *= int(side)
        group = min(group, 256)
        granule = limits['granule']
        waves = min(limits['waves'], limits['registers'] // max(granule, -(-vgprs // granule) * granule))
        by_local = waves
        if local:
            by_local = (limits['local'] // local) * -(-group // limits['lanes']) / limits['simds']
        fma = share_of_fma(bodies.get(name, []), lambda l: bool(re.search(r'\bv_(pk_)?(dual_)?fma', l)),
                           lambda l: bool(re.match(r'\t[a-z]+_', l)), lambda l: bool(re.match(r'\S*BB\d|\ts_c?branch', l)))
        yield dict(kernel=name, registers=vgprs, scalar=int(field['.sgpr_count']),
                   spilled=int(field.get('.vgpr_spill_count', 0)) * 4, scratch=int(field['.private_segment_fixed_size']),
                   local=local, group=group, waves=round(min(waves, by_local), 2), waves_most=limits['waves'], fma=fma)


def ptx_kernels(text):
    for part in re.split(r'^\.visible \.entry ', text, flags=re.M)[1:]:
        name = re.match(r'\w+', part)[0]
        fma = share_of_fma(part.split('\n'), lambda l: '\tfma.rn.f32' in l, lambda l: bool(re.match(r'\t(@%p\d+ )?[a-z]+[. \t].*;', l)),
                           lambda l: bool(re.match(r'\$?L', l)) or '\tbra' in l)
        yield name, fma


def nvidia_kernels(text, log, target):
    facts = {}
    for name, fma in ptx_kernels(text):
        facts[name] = dict(kernel=name, registers=None, scalar=None, spilled=0, scratch=0, local=None, group=256, waves=None,
                           waves_most=NVIDIA[target]['warps'] // 4, fma=fma)
    for part in re.split(r"Compiling entry function '", log)[1:]:
        fact = facts[part.split("'")[0]]
        number = lambda pattern: int((re.search(pattern, part) or [0, 0])[1])
        fact.update(registers=number(r'Used (\d+) registers'), local=number(r'(\d+) bytes smem'),
                    scratch=number(r'(\d+) bytes stack frame'), spilled=number(r'(\d+) bytes spill stores'))
    return list(facts.values())


def nvidia_occupancy(fact, limits):
    """Warps of a scheduler, each multiprocessor having four."""
    warps = -(-fact['group'] // 32)
    per_warp = -(-fact['registers'] * 32 // 256) * 256
    blocks = min(limits['blocks'], limits['warps'] // warps, limits['registers'] // per_warp // warps,
                 limits['local'] // (fact['local'] + limits['extra'] or 1))
    return blocks * warps / 4


# Compiling.

def first_line(text):
    lines = [line for line in text.split('\n') if 'error' in line] or text.strip().split('\n')
    return lines[0]


class Tools:
    """The compilers that are there, and why others are not."""

    def __init__(self):
        self.missing = []
        self.ptxas = os.environ.get('PTXAS') or shutil.which('ptxas') or self.pip_ptxas()
        self.ptxas_targets = {t for t in NVIDIA if self.ptxas and self.assembles(t)}
        self.ocloc = shutil.which('ocloc')
        folders = glob.glob('/usr/lib/*/amdgcn/bitcode') + glob.glob('/opt/rocm*/amdgcn/bitcode')
        self.devicelibs = folders[0] if folders else None
        libclc = glob.glob('/usr/lib/clc/nvptx64--nvidiacl.bc')
        self.libclc = libclc[0] if libclc else None
        self.clang = next((c for c in CLANGS if shutil.which(c)), None)

    @staticmethod
    def pip_ptxas():
        found = glob.glob('/usr/local/cuda/bin/ptxas')
        for path in sys.path:
            found += glob.glob(os.path.join(path, 'nvidia', 'cuda_nvcc', 'bin', 'ptxas'))
        return found[0] if found else None

    def assembles(self, target):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, 'empty.ptx')
            with open(path, 'w', encoding='utf-8') as text:
                text.write('.version 7.5\n.target sm_70\n.address_size 64\n')
            return run([self.ptxas, '-arch', target, path, '-o', path + '.out']).returncode == 0

    def targets(self):
        targets = []
        if self.clang and self.devicelibs:
            known = run([self.clang, '--target=amdgcn-amd-amdhsa', '-nogpulib', '-print-supported-cpus']).stderr
            targets += [t for t in AMD if t in known]
        else:
            self.missing.append('AMD: needs clang-15 and rocm-device-libs')
        if self.clang and self.libclc:
            targets += [t for t in NVIDIA if not self.ptxas or t in self.ptxas_targets] if self.ptxas else ['sm_70']
            if not self.ptxas:
                self.missing.append('NVIDIA: registers and spills need ptxas (see tools/offline.sh); PTX is made and counted')
        else:
            self.missing.append('NVIDIA: needs clang-15 and libclc-15')
        if self.ocloc:
            targets += INTEL
        else:
            self.missing.append('Intel: needs ocloc (Debian: intel-opencl-icd)')
        return targets

    def amd_libraries(self, target):
        """The device libraries, linked by name: a clang may be newer than they are."""
        names = ['opencl', 'ocml', 'ockl', 'oclc_daz_opt_off', 'oclc_unsafe_math_off', 'oclc_finite_only_off',
                 'oclc_correctly_rounded_sqrt_on', 'oclc_abi_version_400',
                 'oclc_wavefrontsize64_' + ('on' if AMD[target]['lanes'] == 64 else 'off')]
        version = 'oclc_isa_version_' + target[3:]
        names.append(version if os.path.exists(f'{self.devicelibs}/{version}.bc') else 'oclc_isa_version_1030')
        flags = ['-nogpulib']
        for name in names:
            flags += ['-Xclang', '-mlink-builtin-bitcode', '-Xclang', f'{self.devicelibs}/{name}.bc']
        return flags

    def clang_to(self, scratch, file, options, flags):
        out = tempfile.mktemp(suffix='.s', dir=scratch)
        result = run([self.clang, '-x', 'cl', *STANDARD, '-O3', '-w', '-Wno-linker-warnings', *flags, *options.split(), '-I',
                      os.path.join(ROOT, 'cl'), os.path.join(ROOT, 'cl', file), '-S', '-o', out])
        if result.returncode:
            raise ValueError(first_line(result.stderr))
        with open(out, encoding='utf-8') as text:
            return out, text.read()

    def compile(self, scratch, file, options, target):
        """The kernels of a program; of several NVIDIA targets in one go, as one PTX serves them all."""
        if target in AMD:
            _, text = self.clang_to(scratch, file, options, ['--target=amdgcn-amd-amdhsa', f'-mcpu={target}',
                                                             *self.amd_libraries(target)])
            return [(target, kernel) for kernel in amd_kernels(text, AMD[target])]
        if target in INTEL:
            result = run([self.ocloc, 'compile', '-file', os.path.join(ROOT, 'cl', file), '-device', target, '-out_dir', scratch,
                          '-output', f'{abs(hash((file, options, target)))}', '-options',
                          ' '.join([*STANDARD, options, '-I', os.path.join(ROOT, 'cl')])])
            log = result.stdout + result.stderr
            if result.returncode:
                raise ValueError(first_line(log))
            spills = dict(re.findall(r"kernel '?(\w+)'?:? .*?spilled around (\d+)", log))
            names = [name for name, _ in kernels_of(file)]
            none = dict.fromkeys(['registers', 'scalar', 'scratch', 'local', 'group', 'waves', 'waves_most', 'fma'])
            return [(target, dict(none, kernel=name, spilled=int(spills.get(name, 0)))) for name in names]
        path, text = self.clang_to(scratch, file, options, ['--target=nvptx64-unknown-nvidiacl', '-march=sm_70', '-nogpulib',
                                                            '-Xclang', '-mlink-builtin-bitcode', '-Xclang', self.libclc])
        found = []
        for each in target.split('+'):
            log = ''
            if self.ptxas:
                result = run([self.ptxas, '-arch', each, '-v', path, '-o', path + '.' + each])
                if result.returncode:
                    raise ValueError(first_line(result.stderr))
                log = result.stderr + result.stdout
            found += [(each, kernel) for kernel in nvidia_kernels(text, log, each)]
        return found


def table(rows):
    head = ('program', 'kernel', 'target', 'registers', 'scalar', 'spilled', 'scratch', 'local', 'group', 'waves', 'fma')
    text = [head]
    for row in rows:
        cell = lambda name: '-' if row[name] is None else str(row[name])
        options = re.sub(r'-D', '', row['options'])
        text.append((row['file'] + (' ' + options if options else ''), row['kernel'] + ('' if row['default'] else ' (cpu)'),
                     row['target'], cell('registers'), cell('scalar'), cell('spilled'), cell('scratch'), cell('local'), cell('group'),
                     '-' if row['waves'] is None else f'{row["waves"]:g} of {row["waves_most"]}',
                     '-' if not row['fma'] else f'{row["fma"][0]} of {row["fma"][1]} ({100 * row["fma"][0] / row["fma"][1]:.0f} %)'))
    widths = [max(len(line[i]) for line in text) for i in range(len(head))]
    for line in text:
        print('  '.join(value.ljust(width) for value, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description='what the compilers of GPUs make of the kernels')
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--quick', action='store_true', help='two targets: ' + ', '.join(QUICK))
    parser.add_argument('--file', help='one kernel file only')
    parser.add_argument('targets', nargs='*')
    wanted = parser.parse_args()
    tools = Tools()
    targets = tools.targets()
    unknown = set(wanted.targets) - set(targets)
    if unknown:
        parser.error(f'no compiler here for {", ".join(sorted(unknown))}; there are: {" ".join(targets)}')
    if not targets:
        print('skipped: ' + '; '.join(tools.missing))
        return 77
    if wanted.targets or wanted.quick:
        targets = [t for t in targets if t in (wanted.targets or QUICK + ([] if tools.ptxas else ['sm_70']))]
    nvidia = [t for t in targets if t in NVIDIA]
    jobs_of = [t for t in targets if t not in NVIDIA] + (['+'.join(nvidia)] if nvidia else [])
    rows, failed = [], stray_options()
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {}
        for file, options in builds():
            if wanted.file in (None, file):
                for target in jobs_of:
                    jobs[pool.submit(tools.compile, scratch, file, options, target)] = (file, options, target)
        for job, (file, options, target) in jobs.items():
            try:
                for each, kernel in job.result():
                    rows.append(dict(kernel, file=file, options=options, target=each, default=default_on_gpus(file, kernel['kernel'])))
            except ValueError as error:
                failed.append(f'{file} {options} for {target}: {error}')
    groups = {(row['file'], row['options'], row['kernel']): row['group'] for row in rows if row['target'] in AMD}
    for row in rows:
        if row['target'] in NVIDIA and row['registers']:  # PTX does not tell the size of a group
            row['group'] = groups.get((row['file'], row['options'], row['kernel']), row['group'])
            row['waves'] = nvidia_occupancy(row, NVIDIA[row['target']])
        if row['default'] and row['spilled']:
            failed.append(f'{row["file"]} {row["options"]}: {row["kernel"]} spills {row["spilled"]} bytes on {row["target"]}')
    if wanted.json:
        print(json.dumps(dict(kernels=rows, missing=tools.missing, failed=failed), indent=1))
    else:
        table(rows)
        for why in tools.missing:
            print('not compiled for ' + why)
        for why in failed:
            print('FAILED: ' + why)
        print(f'{len(jobs)} programs compiled, {len(rows)} kernels, {len(failed)} failures')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
