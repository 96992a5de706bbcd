# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The mutants of a C source: every single change that scripts/mutation makes to it.

Operators: relational, equality, arithmetic, logical, bit, shift, constant, negation removed, statement deleted.
Left alone: comments, the preprocessor's lines, strings, assertions (ACRE_ASSERT, _Static_assert).
"""
import re
from typing import NamedTuple

TOKEN = re.compile(r"""
    (?P<blank>/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*|\s+)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|.)
""", re.S | re.M | re.X)

BINARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+",
          "*": "/", "/": "*", "%": "*", "&&": "||", "||": "&&", "&": "|", "|": "&", "^": "&",
          "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=", "&=": "|=", "|=": "&=", "^=": "&=",
          "*=": "/=", "<<=": ">>=", ">>=": "<<="}
EITHER = {"++": "--", "--": "++"}
PREFIX = {"!", "~"}
TYPE_WORDS = {"struct", "union", "enum", "const", "void", "char", "int", "unsigned", "bool", "size_t",
              "uintptr_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "static", "volatile", "restrict"}
NOT_STATEMENTS = {"return", "goto", "if", "for", "while", "do", "switch", "case", "default", "else",
                  "typedef", "extern", "static", "struct", "union", "enum", "const", "sizeof"}
ASSERTIONS = {"ACRE_ASSERT", "_Static_assert"}


class Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def end(self):
        return self.at + len(self.text)


class Mutant(NamedTuple):
    at: int
    end: int
    new: str
    what: str


def tokens_of(source):
    """The tokens of a source without blanks and without assertions."""
    every = [Token(m.lastgroup, m.group(), m.start()) for m in TOKEN.finditer(source) if m.lastgroup != "blank"]
    kept, i = [], 0
    while i < len(every):
        if every[i].text in ASSERTIONS:
            i = closing(every, i + 1)
        else:
            kept.append(every[i])
        i += 1
    return kept


def closing(tokens, i):
    """The index of the bracket that closes the one at i."""
    depth = 0
    while i < len(tokens):
        depth += (tokens[i].text in "([{") - (tokens[i].text in ")]}")
        if depth == 0:
            return i
        i += 1
    return i


def is_operand_end(token):
    """Whether a sign after this token is a binary operator."""
    return token.kind in ("number", "name") and token.text not in TYPE_WORDS | {"return", "case"} \
        or token.text in (")", "]")


def is_declarator(tokens, i):
    """Whether the * at i belongs to a type: struct name *, name *name at the start of a statement."""
    if tokens[i].text != "*" or tokens[i - 1].kind != "name":
        return False
    before = tokens[i - 2].text if i > 1 else ";"
    return before in TYPE_WORDS | {";", "{", "}"} or tokens[i + 1].text in (")", "*", ",", "const")


def of_sign(tokens, i):
    token = tokens[i]
    if token.text in EITHER:
        yield EITHER[token.text]
    elif token.text in PREFIX:
        yield ""
    elif token.text in BINARY and is_operand_end(tokens[i - 1]) and not is_declarator(tokens, i):
        yield BINARY[token.text]


def of_number(token):
    digits = re.match(r"0[xX][0-9a-fA-F]+|[0-9]+", token.text).group()
    value = int(digits, 0) if digits == "0" or not digits.startswith("0") or "x" in digits.lower() else int(digits, 8)
    yield {0: "1", 1: "0"}.get(value, str(value + 1)) + token.text[len(digits):]


def of_name(token):
    if token.text in ("true", "false"):
        yield "false" if token.text == "true" else "true"


def changes_of(tokens, i):
    token = tokens[i]
    found = {"sign": lambda: of_sign(tokens, i), "number": lambda: of_number(token),
             "name": lambda: of_name(token)}.get(token.kind, lambda: ())()
    for new in found:
        yield Mutant(token.at, token.end, new, f"{token.text} -> {new or 'nothing'}")


def starts_statement(tokens, i):
    """Whether an expression statement begins at i: not a declaration, not a jump out of the function."""
    first, second = tokens[i], tokens[i + 1].text
    if first.text in ("continue", "break"):
        return second == ";"
    if first.kind == "name" and first.text not in NOT_STATEMENTS | TYPE_WORDS:
        return second in ("(", ".", "->", "[", "=", "++", "--") or second.endswith("=") and second in BINARY
    return first.text in ("*", "++", "--", "(") and tokens[i - 1].text != ")"


def deletion_at(tokens, i):
    """The mutant without the statement that begins at i, if one does."""
    if i == 0 or tokens[i - 1].text not in (";", "{", "}", ")", "else", ":") or not starts_statement(tokens, i):
        return
    end = i
    while end < len(tokens) and tokens[end].text not in (";", "{", "}"):
        end = closing(tokens, end) + 1 if tokens[end].text in ("(", "[") else end + 1
    if end < len(tokens) and tokens[end].text == ";" and tokens[i + 1].text != ")":
        yield Mutant(tokens[i].at, tokens[end].at, "", "statement deleted")


def bodies(tokens):
    """The index ranges between braces at file level: functions, but also structs, enums and tables."""
    i = 0
    while i < len(tokens):
        if tokens[i].text == "{":
            last = closing(tokens, i)
            yield i, last, tokens[i - 1].text == ")"
            i = last
        i += 1


def mutants_of(source):
    """Every mutant of a source, in the order of the text."""
    tokens = tokens_of(source)
    found = []
    for first, last, is_function in bodies(tokens):
        for i in range(first + 1, last):
            found += changes_of(tokens, i)
            found += deletion_at(tokens, i) if is_function else ()
    return sorted(set(found))


def apply(source, mutant):
    """The source with the change; lines keep their numbers."""
    gone = source[mutant.at:mutant.end]
    return source[:mutant.at] + mutant.new + "\n" * gone.count("\n") + source[mutant.end:]


def line_of(source, mutant):
    return source.count("\n", 0, mutant.at) + 1


def text_of(source, mutant):
    return " ".join(source.splitlines()[line_of(source, mutant) - 1].split())


def read_equivalents(root):
    """Of each entry (file, change, line of source): its reason. A line may hold a change twice: both are meant."""
    found = {}
    path = root / "tests/mutation/equivalent.txt"
    entries = path.read_text().split("\n\n") if path.exists() else []
    for entry in entries:
        lines = [line for line in entry.splitlines() if line and not line.startswith("#")]
        if lines:
            name, change, text, *reason = lines
            found[name.strip(), change.strip(), " ".join(text.split())] = " ".join(reason)
    return found
