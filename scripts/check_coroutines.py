#!/usr/bin/env python3
"""check_coroutines.py [ROOT]: finds the coroutine shapes that g++ 12 miscompiles, and the async habits we do not have.

Rules: await-with-lambda     a capturing lambda in the full expression of a co_await: g++ 12 may destroy its captures twice
       await-with-aggregate  the same for an aggregate made there, T{a, b} or f({a, b})
       lambda-coroutine      a capturing lambda that is a coroutine: its captures die with the lambda, not with the frame
       await-in-condition    co_await inside ?:, && or ||
       await-in-list         co_await inside a braced initializer
       await-in-range-for    co_await in the header of a range-for
       two-awaits            more than one co_await in a statement
       detached              asio::detached outside async/task_scope: nobody would wait for it
       catch-all             catch (...): swallows cancellation and bugs alike
       timer-race            operation || timer outside async/timeout.hpp; in rpc, etcd and bench no race at all
       sleep-in-unit-test    a unit test waits for an event or moves its clock; it does not sleep
"""

import re
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional

import cpp_source
from cpp_source import Finding, Token

NO_TIMER_MODULES = ("rpc", "etcd", "bench")
SLEEPS = {"sleep_for", "sleep_until", "sleep", "usleep", "nanosleep"}
TIMERS = {"sleep_for", "sleep_until", "async_wait", "wait_until"}
CONTROL = {"if", "while", "for", "switch", "catch", "constexpr"}
BLOCK_AFTER = {")", "else", "do", "try", "const", "noexcept", "override", "final", "mutable", ";", "}", ":", ""}
SCOPES = {"namespace", "class", "struct", "enum", "union", "extern"}
# What may stand before the `[` of a lambda although it looks like a name.
BEFORE_LAMBDA = {"return", "co_return", "co_await", "co_yield", "case", "else", "do", "throw"}


class Lambda(NamedTuple):
    intro: int       # the index of `[`
    captures: bool
    body: int        # the index of `{`
    end: int         # the index of `}`


class Source:
    """The tokens of one file and what its brackets mean."""

    def __init__(self, text: str):
        self.toks: List[Token] = cpp_source.tokens(text)
        self.partner = cpp_source.matching_brackets(self.toks)
        self.parent = self._parents()
        self.lambdas = [found for found in map(self._lambda_at, range(len(self.toks))) if found]

    def text(self, index: int) -> str:
        return self.toks[index].text if 0 <= index < len(self.toks) else ""

    def _parents(self) -> List[int]:
        parents = []
        stack: List[int] = []
        for index, token in enumerate(self.toks):
            if token.text in (")", "]", "}") and stack and self.partner[stack[-1]] == index:
                stack.pop()
            parents.append(stack[-1] if stack else -1)
            if token.text in ("(", "[", "{") and self.partner[index] > index:
                stack.append(index)
        return parents

    def _lambda_at(self, index: int) -> Optional[Lambda]:
        if self.text(index) != "[" or self.partner[index] < index:
            return None
        before = self.text(index - 1)
        if self.text(index + 1) == "[" or before in ("[", ")", "]", '""'):
            return None
        if (before[:1].isalnum() or before[:1] == "_") and before not in BEFORE_LAMBDA:
            return None
        close = self.partner[index]
        at = close + 1
        if self.text(at) == "<":  # template parameters
            depth = 0
            while at < len(self.toks):
                depth += {"<": 1, ">": -1}.get(self.text(at), 0)
                at += 1
                if depth == 0:
                    break
        while at < len(self.toks) and self.text(at) != "{":  # parameters, specifiers, return type
            if self.text(at) in (";", ",", ")", "]", "}", "="):
                return None
            at = self.partner[at] + 1 if self.text(at) in ("(", "[") and self.partner[at] > at else at + 1
        if at >= len(self.toks) or self.partner[at] < 0:
            return None
        return Lambda(index, close > index + 1, at, self.partner[at])

    def is_control(self, paren: int) -> bool:
        return self.text(paren) == "(" and self.text(paren - 1) in CONTROL

    def is_block(self, brace: int) -> bool:
        """Does this `{` open statements (true) or a braced initializer (false)?"""
        if any(found.body == brace for found in self.lambdas):
            return True
        before = self.text(brace - 1)
        if before == "{":
            return self.is_block(brace - 1)
        if before in BLOCK_AFTER:
            return True
        at = brace - 1
        while at >= 0 and self.text(at) not in (";", "{", "}"):
            if self.text(at) in SCOPES or (self.text(at) == "->" and self.text(at - 1) in (")", "noexcept", "const", "mutable")):
                return True
            at = self.partner[at] - 1 if self.text(at) in (")", "]") and self.partner[at] >= 0 else at - 1
        return False

    def statement(self, index: int) -> range:
        """The tokens of the smallest full expression around `index`, control headers left out."""
        inner = index
        while self.parent[inner] >= 0:
            outer = self.parent[inner]
            if self.is_control(outer) or (self.text(outer) == "{" and self.is_block(outer)):
                break
            inner = outer
        level = self.parent[inner]
        start = inner
        while start - 1 > level:
            before = self.text(start - 1)
            if before in (";", "{", "else", "do"):
                break
            if before == "}" and self.text(start) not in (".", "(", ",", "->", ")", "["):
                break
            if before in (")", "]", "}") and self.partner[start - 1] >= 0:
                if self.is_control(self.partner[start - 1]):
                    break
                start = self.partner[start - 1]
            else:
                start -= 1
        end = inner
        limit = self.partner[level] if level >= 0 else len(self.toks)
        while end < limit and self.text(end) != ";":
            jump = self.partner[end]
            end = jump + 1 if jump > end else end + 1
        return range(start, end)

    def in_lambda_body(self, index: int, within: range) -> bool:
        return any(found.intro in within and found.body < index < found.end for found in self.lambdas)

    def segment(self, index: int) -> range:
        """The tokens between commas and semicolons around `index`, on its bracket level."""
        level = self.parent[index]
        low = high = index
        while low - 1 > level and self.text(low - 1) not in (",", ";", "{", "}"):
            jump = self.partner[low - 1]
            if self.text(low - 1) == ")" and jump >= 0 and self.is_control(jump):
                break
            low = jump if 0 <= jump < low - 1 else low - 1
        limit = self.partner[level] if level >= 0 else len(self.toks)
        while high < limit and self.text(high) not in (",", ";"):
            jump = self.partner[high]
            high = jump + 1 if jump > high else high + 1
        return range(low, high)

    def level_tokens(self, span: range, level: int) -> List[int]:
        return [index for index in span if self.parent[index] == level]


def is_logical(source: Source, index: int) -> bool:
    text = source.text(index)
    if text in ("?", "||"):
        return True
    # `auto&& x`, `T&& x =` and `T&&)` are references.
    return (text == "&&" and source.text(index - 1) != "auto" and source.text(index + 2) not in ("=", ":")
            and source.text(index + 1) not in (")", ",", ">", "..."))


def makes_aggregate(source: Source, index: int, span: range) -> bool:
    """Is this the brace of T{a} or of a bare {a}, as part of the expression itself? {} holds nothing to be destroyed."""
    return (source.text(index) == "{" and source.text(index + 1) != "}" and not source.is_block(index)
            and not source.in_lambda_body(index, span))


def check_await(source: Source, index: int) -> List[str]:
    found = []
    span = source.statement(index)
    if any(l.captures and l.intro in span and not source.in_lambda_body(l.intro, span) for l in source.lambdas):
        found.append("await-with-lambda")
    if any(makes_aggregate(source, i, span) and not i < index < source.partner[i] for i in span):
        found.append("await-with-aggregate")
    awaits = [i for i in span if source.text(i) == "co_await" and not source.in_lambda_body(i, span)]
    if awaits and awaits[0] != index:
        found.append("two-awaits")  # told once, at the second
    at = index
    while True:
        level = source.parent[at]
        if any(is_logical(source, i) for i in source.level_tokens(source.segment(at), level)):
            found.append("await-in-condition")
        if level < 0:
            break
        if source.is_control(level):
            header = source.level_tokens(range(level + 1, source.partner[level]), level)
            if source.text(level - 1) == "for" and any(source.text(i) == ":" for i in header):
                found.append("await-in-range-for")
            break
        if source.text(level) == "{":
            if source.is_block(level):
                break
            found.append("await-in-list")
        at = level
    return sorted(set(found))


def check_lambdas(source: Source) -> List[int]:
    offenders = []
    for found in source.lambdas:
        if not found.captures:
            continue
        for index in range(found.body + 1, found.end):
            if source.text(index) in ("co_await", "co_return", "co_yield"):
                innermost = max((l.intro for l in source.lambdas if l.body < index < l.end), default=-1)
                if innermost == found.intro:
                    offenders.append(found.intro)
                    break
    return offenders


def check_habits(source: Source, index: int, relative: Path) -> Optional[str]:
    text = source.text(index)
    parts = relative.parts
    test = relative.name.endswith("_test.cpp")
    in_async = parts[:2] == ("src", "async")
    if text == "detached" and not (in_async and relative.stem == "task_scope"):
        return "detached"
    if text == "catch" and [source.text(index + i) for i in (1, 2, 3)] == ["(", "...", ")"]:
        return "catch-all"
    if text in SLEEPS and source.text(index + 1) == "(" and test and parts[0] == "src" and not in_async:
        # Hours stand for ever: what hangs until it is cancelled.
        return None if re.fullmatch(r"\d+h", source.text(index + 2)) else "sleep-in-unit-test"
    if in_async and relative.name == "timeout.hpp":
        return None
    if text == "||" and any(source.text(i) in TIMERS for i in source.segment(index)):
        return "timer-race"
    if text in ("with_deadline", "awaitable_operators") and not test and parts[0] == "src" and parts[1] in NO_TIMER_MODULES:
        return "timer-race"
    return None


TEXT = {
    "await-with-lambda": "name the lambda in a statement of its own, then co_await",
    "await-with-aggregate": "name the aggregate in a statement of its own, then co_await",
    "lambda-coroutine": "make it a named function with parameters by value",
    "await-in-condition": "co_await into a named value first",
    "await-in-list": "co_await into a named value first",
    "await-in-range-for": "co_await into a named value first",
    "two-awaits": "one co_await per statement",
    "detached": "spawn it in a TaskScope",
    "catch-all": "catch std::exception, or let it pass",
    "timer-race": "sessions keep their deadlines themselves; elsewhere use async::with_deadline",
    "sleep-in-unit-test": "wait for the event, or move a ManualClock",
}


def check_file(root: Path, path: Path) -> List[Finding]:
    source = Source(path.read_text(encoding="utf-8"))
    relative = path.relative_to(root)
    found = [(source.toks[index].line, "lambda-coroutine") for index in check_lambdas(source)]
    for index, token in enumerate(source.toks):
        if token.text == "co_await":
            found += [(token.line, rule) for rule in check_await(source, index)]
        rule = check_habits(source, index, relative)
        if rule:
            found.append((token.line, rule))
    return [Finding(path, line, rule, TEXT[rule]) for line, rule in sorted(set(found))]


def main() -> int:
    root = cpp_source.root_from_arguments()
    findings: List[Finding] = []
    for path in cpp_source.cpp_files(root, "src", "tests", "examples"):
        findings += check_file(root, path)
    return cpp_source.report("coroutines", root, findings)


if __name__ == "__main__":
    sys.exit(main())
