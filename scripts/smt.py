# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Turns a function of LLVM's text form into an SMT-LIB question over bit vectors: can it return false, or run into
undefined behaviour that the compiler was asked to trap? Functions without loops, calls and memory; scripts/prove has
everything inlined and unrolled before it comes here, and what is left over is an error, not a proof.
"""
import re

BINARY = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "and": "bvand", "or": "bvor", "xor": "bvxor", "shl": "bvshl",
          "lshr": "bvlshr", "ashr": "bvashr", "udiv": "bvudiv", "urem": "bvurem", "sdiv": "bvsdiv", "srem": "bvsrem"}
COMPARE = {"eq": "=", "ult": "bvult", "ule": "bvule", "ugt": "bvugt", "uge": "bvuge", "slt": "bvslt", "sle": "bvsle",
           "sgt": "bvsgt", "sge": "bvsge"}
FLAGS = r"(?:(?:nuw|nsw|exact|noundef|zeroext|signext|tail|range\([^)]*\)) )*"


class Unsupported(Exception):
    """An instruction that has no translation."""


def sort(width):
    return f"(_ BitVec {width})"


def constant(value, width):
    return f"(_ bv{value % (1 << width)} {width})"


def prelude():
    """Leading zeros, trailing zeros and the number of set bits, written out for each width."""
    text = ["(set-logic QF_BV)"]
    for width in (8, 16, 32, 64):
        up, down, count = constant(width, width), constant(width, width), constant(0, width)
        for i in range(width):
            up = f"(ite (= ((_ extract {i} {i}) x) #b1) {constant(width - 1 - i, width)} {up})"
            j = width - 1 - i
            down = f"(ite (= ((_ extract {j} {j}) x) #b1) {constant(j, width)} {down})"
            count = f"(bvadd {count} ((_ zero_extend {width - 1}) ((_ extract {i} {i}) x)))"
        for name, body in (("ctlz", up), ("cttz", down), ("ctpop", count)):
            text.append(f"(define-fun {name}{width} ((x {sort(width)})) {sort(width)} {body})")
    return text


class Function:
    """One function: its parameters, and its blocks in the order of the text."""

    def __init__(self, name, parameters, body):
        self.name, self.out, self.fresh = name, [], 0
        self.widths = {}
        self.reach, self.edges, self.traps, self.returns, self.pairs = {}, {}, [], [], {}
        self.parameters = [self.declare(p) for p in parameters.split(",") if p.strip()]
        self.blocks = self.split(body, len(self.parameters))

    def declare(self, text):
        found = re.search(r"i(\d+) .*?(%[\w.]+)$", text.strip())
        if not found:
            raise Unsupported(f"{self.name}: parameter {text}")
        width, name = int(found.group(1)), found.group(2)
        self.out.append(f"(declare-const |{name}| {sort(width)})")
        self.widths[name] = width
        return name

    @staticmethod
    def split(body, count):
        blocks, label = {str(count): []}, str(count)
        joined = re.sub(r"\[\n(.*?)\n  \]", lambda m: "[" + " ".join(m.group(1).split()) + "]", body, flags=re.S)
        for line in joined.splitlines():
            line = re.sub(r"(, !\w+ ![0-9]+|, !srcloc ![0-9]+| #[0-9]+|, !nosanitize ![0-9]+)+$", "",
                          line.split(";")[0].rstrip())
            found = re.match(r"^([\w.]+):$", line)
            if found:
                label = found.group(1)
                blocks[label] = []
            elif line.strip():
                blocks[label].append(line.strip())
        if not blocks[str(count)]:
            del blocks[str(count)]
        return blocks

    # ---- values ----

    def value(self, text, width):
        text = text.strip()
        if text.startswith("%"):
            return f"|{text}|"
        if text in ("true", "false"):
            return constant(text == "true", width)
        if text in ("undef", "poison"):
            self.fresh += 1
            self.out.append(f"(declare-const |undef{self.fresh}| {sort(width)})")
            return f"|undef{self.fresh}|"
        if re.fullmatch(r"-?\d+", text):
            return constant(int(text), width)
        raise Unsupported(f"{self.name}: operand {text}")

    def define(self, name, width, term):
        self.out.append(f"(define-fun |{name}| () {sort(width)} {term})")

    def instruction(self, line, label):
        for pattern, method in RULES:
            found = re.fullmatch(pattern, line)
            if found:
                method(self, label, *found.groups())
                return
        raise Unsupported(f"{self.name}: {line}")

    def binary(self, _, name, operation, width, a, b):
        self.define(name, width, f"({BINARY[operation]} {self.value(a, int(width))} {self.value(b, int(width))})")

    def compare(self, _, name, kind, width, a, b):
        a, b = self.value(a, int(width)), self.value(b, int(width))
        term = f"(not (= {a} {b}))" if kind == "ne" else f"({COMPARE[kind]} {a} {b})"
        self.define(name, 1, f"(ite {term} #b1 #b0)")

    def convert(self, _, name, kind, width, a, to):
        width, to = int(width), int(to)
        how = {"zext": f"(_ zero_extend {to - width})", "sext": f"(_ sign_extend {to - width})",
               "trunc": f"(_ extract {to - 1} 0)"}[kind]
        self.define(name, to, f"({how} {self.value(a, width)})")

    def select(self, _, name, condition, width, a, b):
        width = int(width)
        self.define(name, width, f"(ite (= {self.value(condition, 1)} #b1) {self.value(a, width)} "
                                 f"{self.value(b, width)})")

    def phi(self, label, name, width, pairs):
        width, term = int(width), None
        for value, source in re.findall(r"\[ ([^,]+), %([\w.]+) \]", pairs):
            one = self.value(value, width)
            term = one if term is None else f"(ite {self.edges[source, label]} {one} {term})"
        self.define(name, width, term)

    def freeze(self, _, name, width, a):
        self.define(name, width, self.value(a, int(width)))

    def scan(self, _, name, kind, width, a):
        self.define(name, width, f"({kind}{width} {self.value(a, int(width))})")

    def extremum(self, _, name, kind, width, a, b):
        test = {"umin": "bvult", "umax": "bvugt", "smin": "bvslt", "smax": "bvsgt"}[kind]
        a, b = self.value(a, int(width)), self.value(b, int(width))
        self.define(name, width, f"(ite ({test} {a} {b}) {a} {b})")

    def funnel(self, _, name, kind, width, a, b, shift):
        width = int(width)
        a, b, shift = self.value(a, width), self.value(b, width), self.value(shift, width)
        part = f"((_ zero_extend {width}) (bvurem {shift} {constant(width, width)}))"
        whole = f"(concat {a} {b})"
        self.define(name, width, f"((_ extract {2 * width - 1} {width}) (bvshl {whole} {part}))" if kind == "fshl"
                    else f"((_ extract {width - 1} 0) (bvlshr {whole} {part}))")

    def overflow(self, _, name, kind, width, a, b):
        width = int(width)
        a, b = self.value(a, width), self.value(b, width)
        wide = [f"((_ zero_extend {width}) {x})" for x in (a, b)]
        operation = BINARY[kind[1:]]
        self.define(name + ".0", width, f"({operation} {a} {b})")
        outside = f"((_ extract {2 * width - 1} {width}) ({operation} {wide[0]} {wide[1]}))"
        self.define(name + ".1", 1, f"(ite (= {outside} {constant(0, width)}) #b0 #b1)")

    def part(self, _, name, width, pair, index):
        self.define(name, width or 1, f"|{pair}.{index}|")

    # ---- control ----

    def edge(self, source, target, condition):
        old = self.edges.get((source, target))
        self.edges[source, target] = f"(or {old} {condition})" if old else condition
        self.pairs.setdefault(target, []).append(source)

    def reaches(self, label):
        return f"|reach.{label}|"

    def jump(self, label, target):
        self.edge(label, target, self.reaches(label))

    def branch(self, label, condition, yes, no):
        bit = self.value(condition, 1)
        self.edge(label, yes, f"(and {self.reaches(label)} (= {bit} #b1))")
        self.edge(label, no, f"(and {self.reaches(label)} (= {bit} #b0))")

    def switch(self, label, width, value, default, cases):
        value, others = self.value(value, int(width)), []
        for case, target in re.findall(r"i\d+ (-?\d+), label %([\w.]+)", cases):
            test = f"(= {value} {constant(int(case), int(width))})"
            others.append(f"(not {test})")
            self.edge(label, target, f"(and {self.reaches(label)} {test})")
        self.edge(label, default, f"(and {self.reaches(label)} {' '.join(others)})")

    def give(self, label, value):
        self.returns.append(f"(and {self.reaches(label)} (= {self.value(value, 1)} #b0))")

    def trap(self, label):
        self.traps.append(self.reaches(label))

    def nothing(self, *_):
        pass

    # ---- the whole ----

    def order(self):
        """The blocks so that each comes after those that lead to it; a loop is an error."""
        after = {label: re.findall(r"label %([\w.]+)", lines[-1]) for label, lines in self.blocks.items()}
        before = {label: {a for a in after if label in after[a]} for label in self.blocks}
        done = []
        while len(done) < len(self.blocks):
            ready = [b for b in self.blocks if b not in done and before[b] <= set(done)]
            if not ready:
                raise Unsupported(f"{self.name}: a loop is left")
            done += ready
        return done

    def question(self):
        """SMT-LIB text that is unsatisfiable if and only if the function always returns true without a trap."""
        for place, label in enumerate(self.order()):
            into = [self.edges[s, label] for s in dict.fromkeys(self.pairs.get(label, []))]
            entry = "true" if place == 0 else f"(or false {' '.join(into)})"
            self.out.append(f"(define-fun {self.reaches(label)} () Bool {entry})")
            for line in self.blocks[label]:
                self.instruction(line, label)
        bad = " ".join(self.traps + self.returns)
        shown = " ".join(f"|{name}|" for name in self.parameters)
        return "\n".join(prelude() + self.out + [f"(assert (or false {bad}))", "(check-sat)"]
                         + ([f"(get-value ({shown}))"] if shown else []))


V = r"([%\w.\-]+)"
N = r"(%[\w.]+)"
RULES = [
    (rf"{N} = ({'|'.join(BINARY)}) {FLAGS}i(\d+) {V}, {V}", Function.binary),
    (rf"{N} = icmp (\w+) i(\d+) {V}, {V}", Function.compare),
    (rf"{N} = (zext|sext|trunc) {FLAGS}i(\d+) {V} to i(\d+)", Function.convert),
    (rf"{N} = select i1 {V}, i(\d+) {V}, i\d+ {V}", Function.select),
    (rf"{N} = phi i(\d+) (.*)", Function.phi),
    (rf"{N} = freeze i(\d+) {V}", Function.freeze),
    (rf"{N} = {FLAGS}call {FLAGS}i\d+ @llvm\.(ctlz|cttz|ctpop)\.i(\d+)\(i\d+ {FLAGS}{V}(?:, i1 \w+)?\)", Function.scan),
    (rf"{N} = {FLAGS}call {FLAGS}i\d+ @llvm\.(umin|umax|smin|smax)\.i(\d+)\(i\d+ {V}, i\d+ {V}\)", Function.extremum),
    (rf"{N} = {FLAGS}call {FLAGS}i\d+ @llvm\.(fshl|fshr)\.i(\d+)\(i\d+ {V}, i\d+ {V}, i\d+ {V}\)", Function.funnel),
    (rf"{N} = {FLAGS}call {{ i\d+, i1 }} @llvm\.(uadd|usub|umul)\.with\.overflow\.i(\d+)\(i\d+ {V}, i\d+ {V}\)",
     Function.overflow),
    (rf"{N} = extractvalue {{ i(\d+), i1 }} {N}, (0|1)",
     lambda self, label, name, width, pair, index: self.part(label, name, width if index == "0" else 1, pair, index)),
    (r"br label %([\w.]+)", Function.jump),
    (rf"br i1 {V}, label %([\w.]+), label %([\w.]+)", Function.branch),
    (rf"switch i(\d+) {V}, label %([\w.]+) \[(.*)\]", Function.switch),
    (rf"ret i1 {V}", Function.give),
    (r"(?:tail )?call void @llvm\.(?:ubsan)?trap\(.*\)", Function.trap),
    (r"(?:tail )?call void @llvm\.assume\(.*\)", Function.nothing),
    (r"unreachable", Function.nothing),
]


def functions(text, prefix):
    """The functions of a module whose names begin so."""
    pattern = rf"^define [^@\n]*@({prefix}\w+)\((.*?)\)[^{{\n]*{{\n(.*?)^}}"
    for found in re.finditer(pattern, text, re.S | re.M):
        yield Function(*found.groups())
