#!/usr/bin/env python3
"""doxygen-filter.py HEADER: a public header as Doxygen reads it, line by line in the same places.

The headers' comments are plain. The first of a file is about the file; one behind code is about that code, and where that declares
several names, about each; one that begins a line is about what follows; titles in dashes are titles. What a struct's own comment
names among its members - the n, c, h, w of a formula - is described there.
"""
import os
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.S)
STRUCT = re.compile(r'^(/\*(?:(?!\*/).)*\*/)\n(struct \w+ \{\n)(.*?)(^\};$)', re.S | re.M)
# A declaration of members, perhaps on several lines, with or without a comment behind it.
MEMBERS = re.compile(r'^([ \t]+)((?:const |struct |enum |unsigned )*\w+ )(\*?\w[^;(){}/]*);[ \t]*(/\*.*?\*/)?', re.S | re.M)


def split(found, told=''):
    indent, kind, names, comment = found.groups()
    lines = found.group().count('\n')
    parts = []
    for name in re.split(r',\s*', names):
        about = ' '.join((comment or '').split())
        if not about and re.search(rf'\b{re.sub("[^a-z0-9_].*", "", name.lstrip("*"))}\b', told):
            about = '/* See above. */'
        parts.append(f'{kind}{name}; {about}')
    return indent + ' '.join(parts) + '\n' * lines


def of_struct(found):
    comment, head, members, end = found.groups()
    return comment + '\n' + head + MEMBERS.sub(lambda m: split(m, comment), members) + end


def main():
    path = sys.argv[1]
    with open(path, encoding='utf-8') as source:
        text = MEMBERS.sub(split, STRUCT.sub(of_struct, source.read()))
    first = True

    def mark(found):
        nonlocal first
        comment = found.group()
        before = text[text.rfind('\n', 0, found.start()) + 1:found.start()].strip()
        if comment.startswith('"') or before.startswith('#e') or comment.startswith('/* ---'):
            return comment
        if first:
            first = False
            return f'/** @file {os.path.basename(path)}' + comment[2:]
        return ('/**<' if before else '/**') + comment[2:].replace('#', r'\#')

    sys.stdout.write(COMMENT.sub(mark, text))


main()
