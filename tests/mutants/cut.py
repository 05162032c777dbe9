"""Mutants of C and OpenCL C: the tokens of a file, and every small change of them that may make another program.

A change keeps to one line. It is named by the line's text, which of the lines with that text it is, and the column in it, so that
it is found again where code has moved. Comments, strings, preprocessor lines other than `#define`, the names and parameters of
macros, sizes that `-D` sets, and code that is compiled for no device here are left alone."""
import collections
import hashlib
import re
import struct

Mutant = collections.namedtuple("Mutant", "id kind file nth column old new line")
Token = collections.namedtuple("Token", "text kind at")

# Conditions known here: no fast arithmetic, no device whose fma, division or square root is wrong, vectors of 16.
FALSE = {"defined(CAIRN_FAST)", "CAIRN_FAST", "CAIRN_SOFT_FMA", "defined(CAIRN_SOFT_FMA)", "VW == 8",
         "defined(CAIRN_SOFT_DIV) && !defined(CAIRN_FAST)", "defined(CAIRN_SOFT_SQRT) && !defined(CAIRN_FAST)",
         "defined(CAIRN_FAST) && !defined(CAIRN_SOFT_FMA)"}
TRUE = {"__ENDIAN_LITTLE__", "VW == 16", "VW >= 8"}

LEX = re.compile(r"""(?P<space>(?:\s|\\\n)+)|(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<number>0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*(?:[pP][+-]?\d+)?[uUlLfF]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[uUlLfF]*)
    |(?P<name>[A-Za-z_]\w*)|(?P<op>\#\#|<<=|>>=|\+\+|--|->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""", re.X | re.S)
TYPE = re.compile(r"(?:void|char|uchar|u?short|u?int|u?long|float|double|size_t|vec|ivec|u?int\d+_t|VECTOR|cairn_status"
                  r"|(?:uchar|u?int|float|u?long)(?:2|4|8|16)|const|static|inline|__\w+|struct|enum|unsigned)$")
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+", "*": "+",
         "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|", "+=": "-=", "-=": "+=", "*=": "+=", "|=": "&=",
         "&=": "|="}
BACK = {"MIN": "MAX", "min": "max"}
FUSED = {"FMA", "FMA4", "FMA8", "FMA16", "fma"}
ZEROS = {"no_minus_zero", "cairn_exact_plus_zero"}


def live_parts(text):
    """(begin, end, whether a macro's body) of what is compiled here."""
    on, parts, at = [], [], 0  # on: of each open condition, (this branch, the next ones)
    lines = text.splitlines(keepends=True)
    while lines:
        line = lines.pop(0)
        directive = re.match(r"\s*#\s*(\w+)[ \t]*(.*)", line)
        while directive and line.rstrip().endswith("\\"):
            line += lines.pop(0)
        word, rest = directive.groups() if directive else ("", "")
        rest = re.sub(r"\s*(/\*.*|//.*)", "", rest).strip()
        now = (rest not in FALSE, rest not in TRUE)
        if word in ("if", "ifdef"):
            on.append(now)
        elif word == "ifndef":
            on.append((rest.endswith("_H") or rest == "SUM_JOIN", True))
        elif word in ("elif", "else"):
            last = on.pop()
            on.append((last[1] and now[0], last[1] and now[1]))
        elif word == "endif":
            on.pop()
        elif all(branch for branch, _ in on):
            if word == "define":
                head = re.match(r"\s*#\s*define\s+\w+(\([^)]*\))?", line)
                parts.append((at + head.end(), at + len(line), True))
            elif not word:
                parts.append((at, at + len(line), False))
        at += len(line)
    return parts


def tokens_of(text):
    """Tokens of the whole file, and of each whether it may be changed."""
    parts, tokens, free, at, part = live_parts(text), [], [], 0, 0
    for match in LEX.finditer(text):
        kind = match.lastgroup
        at = match.start()
        while part < len(parts) and parts[part][1] <= at:
            part += 1
        inside = part < len(parts) and parts[part][0] <= at
        if kind in ("space", "comment"):
            continue
        if not inside and not text[text.rfind("\n", 0, at) + 1:].lstrip().startswith("#define"):
            continue  # other directives, and what is compiled nowhere here
        tokens.append(Token(match.group(), kind, at))
        free.append(inside)
    return tokens, free


def pairs_of(tokens):
    """partner[i] of a bracket, and around[i]: the innermost bracket that token i lies in, or -1."""
    partner, around, stack = {}, [], []
    for i, token in enumerate(tokens):
        if token.text in (")", "]", "}") and stack:
            partner[i] = stack.pop()
            partner[partner[i]] = i
        around.append(stack[-1] if stack else -1)
        if token.text in ("(", "[", "{"):
            stack.append(i)
    return partner, around


def next_float(text):
    """The decimal or hexadecimal literal of the float behind this one."""
    value = float.fromhex(text.rstrip("fF")) if text[:2] in ("0x", "0X") else float(text.rstrip("fF"))
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    if bits & 0x7fffffff == 0:
        return "1.0f"
    literal = "%.9g" % struct.unpack("<f", struct.pack("<I", bits + 1))
    return (literal if "." in literal or "e" in literal else literal + ".0") + "f"


def other_number(text):
    lower = text.lower()
    if lower.startswith("0x") and "p" not in lower or re.fullmatch(r"\d+[ul]*", lower):
        digits, suffix = re.fullmatch(r"(0x[0-9a-f]+|\d+)([ul]*)", lower).groups()
        value = int(digits, 0 if digits.startswith("0x") else 10) + 1
        return (hex(value) if digits.startswith("0x") else str(value)) + suffix
    literal = next_float(text)
    return literal if lower.endswith("f") else literal[:-1]


class Sites:
    """Every change of a file, as (token's position, old, new, kind)."""

    def __init__(self, text):
        self.text = text
        self.tokens, self.free = tokens_of(text)
        self.partner, self.around = pairs_of(self.tokens)
        self.found = []
        for i in range(len(self.tokens)):
            if self.free[i]:
                self.at(i)

    def add(self, first, last, new, kind):
        """Tokens first...last become `new`; kept to one line."""
        begin, end = self.tokens[first].at, self.tokens[last].at + len(self.tokens[last].text)
        old = self.text[begin:end]
        if "\n" not in old and old != new:
            self.found.append((begin, old, new, kind))

    def word(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def source(self, first, last):
        return self.text[self.tokens[first].at:self.tokens[last].at + len(self.tokens[last].text)]

    def is_operand(self, i):
        return 0 <= i < len(self.tokens) and (self.tokens[i].kind in ("name", "number") or self.word(i) in (")", "]")) and \
            not TYPE.match(self.word(i)) and self.word(i) not in ("return", "case", "else")

    def is_binary(self, i):
        return self.is_operand(i - 1) and not (self.word(i - 1) == ")" and TYPE.match(self.word(i - 2))) and \
            not (self.word(i - 2) == "struct") and not (self.word(i) in "*&" and self.word(i + 1) in (")", ","))

    def in_head(self, i):
        """Whether the token lies in the head of an if, for or while."""
        while (i := self.around[i]) >= 0:
            if self.word(i) == "(" and self.word(i - 1) in ("if", "for", "while"):
                return True
            if self.word(i) == "{":
                return False
        return False

    def behind(self, i):
        """The last token of the operand that begins at i: a name or number, called, indexed, or a bracket; -1: another thing."""
        if self.word(i) == "(":
            if self.partner.get(i, -1) < 0 or TYPE.match(self.word(i + 1)):
                return -1
            i = self.partner[i]
        elif self.tokens[i].kind not in ("name", "number") or TYPE.match(self.word(i)):
            return -1
        while True:
            if self.word(i + 1) in ("(", "["):
                if i + 1 not in self.partner:
                    return -1
                i = self.partner[i + 1]
            elif self.word(i + 1) in (".", "->"):
                i += 2
            else:
                return i

    def before(self, i):
        """The first token of the operand that ends at i, or -1."""
        while True:
            if self.word(i) in (")", "]"):
                if i not in self.partner:
                    return -1
                i = self.partner[i]
                if self.is_operand(i - 1):
                    i -= 1
                    continue
                return i
            if self.tokens[i].kind not in ("name", "number") or TYPE.match(self.word(i)):
                return -1
            if self.word(i - 1) in (".", "->"):
                i -= 2
                continue
            return i

    def at(self, i):
        token, text = self.tokens[i], self.tokens[i].text
        if token.kind == "number":
            self.add(i, i, other_number(text), "constant")
        elif token.kind == "name":
            self.name(i, text)
        elif text == "[":
            self.index(i)
        elif text == "?":
            self.choice(i)
        elif text == "!":
            self.add(i, i, "", "logic")
        elif text in OTHER and self.is_binary(i) and i + 1 < len(self.tokens):
            self.operator(i, text)
        if token.kind in ("name", "op") and self.word(i - 1) in (";", "{", "}") and text not in ("}", "{", ";"):
            self.statement(i)

    def operator(self, i, text):
        relation = text in ("<", "<=", ">", ">=", "==", "!=")
        kind = "logic" if text in ("&&", "||") else "bound" if relation and self.in_head(i) else "relation" if relation else "arithmetic"
        if not (relation and self.is_least(i)):
            self.add(i, i, OTHER[text], kind)
        first, last = self.before(i - 1), self.behind(i + 1)
        if first < 0 or last < 0:
            return
        if text in ("-", "/", "%", "<<", ">>") and self.word(first - 1) not in ("*", "/", "%", "-", ".") and \
                self.word(last + 1) not in ("*", "/", "%"):
            self.add(first, last, f"{self.source(i + 1, last)} {text} {self.source(first, i - 1)}", "swap")
        if text in ("+", "-"):
            while self.word(last + 1) in ("*", "/", "%"):
                last = self.behind(last + 2)
                if last < 0:
                    return
            self.add(i, last, "", "term")

    def is_least(self, i):
        """Whether this is the < of a < b ? a : b over whole numbers, which gives the same where both are equal."""
        at = self.tokens[i].at
        line = self.text[self.text.rfind("\n", 0, at) + 1:at], self.text[at:].split("\n")[0]
        left = re.search(r"([^=?:;,({]|\([^()]*\))*$", line[0]).group().strip()
        right = re.match(r"[<>]=?\s*([^?;]*?)\s*\?\s*([^?;:]*?)\s*:\s*(([^?;:,()]|\([^()]*\))*)", line[1])
        if not right or re.search(r"\d\.|float|best|lane|\bv\b|\bx\b", line[0] + line[1]):
            return False
        plain = [re.sub(r"\((int|uint|long|ulong)\)|[() ]", "", side) for side in (left, right.group(1), right.group(2), right.group(3))]
        return sorted(plain[:2]) == sorted(plain[2:])

    def name(self, i, text):
        if text == "barrier" and self.word(i + 1) == "(":
            end = self.partner[i + 1]
            self.add(i, end, "", "barrier")
        elif self.word(i + 1) != "(":
            return
        elif text in FUSED:
            self.add(i, i, "mad", "fused")
        elif text == "fmaf":
            commas = self.commas(i + 1)
            if len(commas) == 2:
                a, b = self.source(i + 2, commas[0] - 1), self.source(commas[0] + 1, commas[1] - 1)
                self.add(i, self.partner[i + 1], f"(({a}) * ({b}) + ({self.source(commas[1] + 1, self.partner[i + 1] - 1)}))", "fused")
        elif text in ZEROS and not TYPE.match(self.word(i - 1)):
            self.add(i, i, "", "call")
        elif text in BACK:
            self.add(i, i, BACK[text], "call")
        if text in FUSED | {"fmaf", "select"}:
            commas = self.commas(i + 1)
            if len(commas) == 2:
                b, c = self.source(commas[0] + 1, commas[1] - 1), self.source(commas[1] + 1, self.partner[i + 1] - 1)
                a = self.source(i + 2, commas[0] - 1)
                new = f"{text}({b}, {a}, {c})" if text == "select" else f"{text}({a}, {c}, {b})"
                self.add(i, self.partner[i + 1], new, "swap")

    def commas(self, bracket):
        return [k for k in range(bracket, self.partner.get(bracket, bracket)) if self.word(k) == "," and self.around[k] == bracket]

    def index(self, i):
        start = i
        while start > 0 and self.word(start - 1) not in (";", "{", "}"):
            start -= 1
        declared = TYPE.match(self.word(start)) and self.around[i] == self.around[start] and \
            (TYPE.match(self.word(i - 2)) or self.word(i - 2) in (",", "*") or self.word(i - 1) == "]" or self.word(start) == "struct")
        if self.is_operand(i - 1) and not declared and self.word(i + 1) != "]":
            self.add(i, i, "[1 + ", "index")

    def choice(self, i):
        """c ? a : b with simple a and b: the other way round."""
        middle = self.behind(i + 1)
        if middle < 0 or self.word(middle + 1) != ":":
            return
        last = self.behind(middle + 2)
        if last >= 0 and self.word(last + 1) in (";", ",", ")", "]", ":"):
            self.add(i + 1, last, f"{self.source(middle + 2, last)} : {self.source(i + 1, middle)}", "swap")

    def statement(self, i):
        """An assignment, call or jump of one line, left out."""
        if self.around[i] >= 0 and self.word(self.around[i]) != "{" or TYPE.match(self.word(i)):
            return
        if self.word(i) in ("if", "for", "while", "do", "else", "switch", "case", "default", "return"):
            return
        end = i
        while end < len(self.tokens) and self.word(end) not in (";", "{", "}"):
            end += 1
        if self.word(end) == ";" and self.around[end] == self.around[i] and self.word(i) != "barrier" and \
                self.tokens[i + 1].kind != "name":
            self.add(i, end - 1, "", "statement")


def clean(line):
    return line.rstrip().rstrip("\\").strip()


def lines_of(text):
    """(where a line begins with its indentation left out, its text, which of those with that text it is)."""
    seen, result, at = collections.Counter(), [], 0
    for line in text.splitlines(keepends=True):
        body = clean(line)
        result.append((at + (len(line) - len(line.lstrip()) if body else 0), body, seen[body]))
        seen[body] += 1
        at += len(line)
    return result


def mutants_of(name, text):
    """Every mutant of a file."""
    lines = lines_of(text)
    result, row = [], 0
    for begin, old, new, kind in sorted(Sites(text).found, key=lambda site: site[0]):
        while row + 1 < len(lines) and lines[row + 1][0] <= begin:
            row += 1
        start, line, nth = lines[row]
        column = begin - start
        if line[column:column + len(old)] != old:
            continue
        key = "\t".join((name, line, str(nth), str(column), old, new))
        result.append(Mutant(hashlib.sha256(key.encode()).hexdigest()[:8], kind, name, nth, column, old, new, line))
    return list({mutant.id: mutant for mutant in result}.values())


def find(mutant, text):
    """Where in the file its change is, or None where the line is no longer there."""
    for start, line, nth in lines_of(text):
        if line == mutant.line and nth == mutant.nth:
            at = start + mutant.column
            return at if text[at:at + len(mutant.old)] == mutant.old else None
    return None


def apply(mutant, text):
    """The file with the change in it."""
    at = find(mutant, text)
    return text[:at] + mutant.new + text[at + len(mutant.old):]
