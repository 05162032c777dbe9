#!/usr/bin/env python3
"""symbols.py OUTPUT VERSION HEADER...: the linker's version script of libcairn: the functions that the public headers declare.

They are CAIRN_VERSION's; everything else stays inside the library. A declaration begins a line, a function's name is the first
word of it with a parenthesis behind; tests/installed.py holds the result to what the compiler finds declared.
"""
import re
import sys

# Comments, strings, preprocessor lines; then what lies in braces, from the inside out: no declaration of a function among it.
NOISE = re.compile(r'/\*.*?\*/|"[^"\n]*"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$', re.S | re.M)
BRACES = re.compile(r'\{[^{}]*\}')
FUNCTION = re.compile(r'\b(cairn_\w+)\s*\(')


def functions(text):
    text = NOISE.sub(' ', text)
    text = re.sub(r'\bextern\s+\{', '', text)  # "C" was a string
    while BRACES.search(text):
        text = BRACES.sub('', text)
    for statement in text.split(';'):
        found = FUNCTION.search(statement)
        if found and not statement.lstrip(' \n}').startswith('typedef'):
            yield found.group(1)


def main():
    output, version, headers = sys.argv[1], sys.argv[2], sys.argv[3:]
    names = set()
    for header in headers:
        with open(header, encoding='utf-8') as source:
            names.update(functions(source.read()))
    if not names:
        sys.exit('symbols.py: the headers declare no function')
    lines = ''.join(f'        {name};\n' for name in sorted(names))
    with open(output, 'w', encoding='utf-8') as out:
        out.write(f'CAIRN_{version} {{\n    global:\n{lines}    local:\n        *;\n}};\n')


main()
