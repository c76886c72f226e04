#!/usr/bin/env python3
"""check_sizes.py [ROOT]: rooms that a reader can hold in the head, and headers that say what they are for.

Rules: header-size      a header has at most 250 lines
       source-size      a source or test file has at most 600 lines
       function-size    a function has at most 60 lines, not counting those that only list data
       parameters       a constructor takes at most 5 parameters; beyond that an Options struct
       opening-line     a header opens with `// dir/file.hpp: what for.`
       pragma-once      a header has #pragma once
       name             no Manager, Helper, Util, Info or Impl: they do not say what a thing does
"""

import re
import sys
from pathlib import Path
from typing import List

import cpp_source
from check_coroutines import Source
from cpp_source import Finding

HEADER_LINES = 250
SOURCE_LINES = 600
FUNCTION_LINES = 60
CONSTRUCTOR_PARAMETERS = 5
# A PIMPL's nested `Impl` is the one name that may stand alone.
EMPTY_NAME = re.compile(r"\w(Manager|Helper|Helpers|Util|Utils|Info|Impl)$")
EMPTY_FILE = re.compile(r"(^|_)(manager|helper|helpers|util|utils|info|impl)(_test)?$")


def check_header(path: Path, lines: List[str], relative: Path) -> List[Finding]:
    findings = []
    if len(lines) > HEADER_LINES:
        findings.append(Finding(path, 1, "header-size", f"{len(lines)} lines, at most {HEADER_LINES}"))
    name = relative.relative_to(relative.parts[0]).as_posix()
    first = lines[0] if lines else ""
    if not first.startswith("// ") or f"{name}: " not in first:
        findings.append(Finding(path, 1, "opening-line", f"the first line is `// {name}: what for.`"))
    if "#pragma once" not in lines:
        findings.append(Finding(path, 1, "pragma-once", "missing"))
    return findings


def function_name(source: Source, brace: int) -> str:
    """The name before the parameter list of the function whose body opens at `brace`; "" where that is none."""
    at = brace - 1
    while at >= 0 and source.text(at) not in (";", "{", "}"):
        if source.text(at) == ")":
            opening = source.partner[at]
            before = source.text(opening - 1)
            if before in ("noexcept", "requires", "alignas", "decltype"):
                at = opening - 2
                continue
            if source.is_control(opening) or before in ("]", ">"):
                return ""
            return before
        at -= 1
    return ""


def table_lines(source: Source, first: int, last: int) -> int:
    """Lines between two tokens that only list data: the inside of braced lists, and `case kX: return "x";`."""
    lines = set()
    for index in range(first + 1, last):
        end = index
        if source.text(index) == "{" and not source.is_block(index):
            end = source.partner[index]
            lines.update(range(source.toks[index].line + 1, source.toks[end].line + 1))
        elif source.text(index) == "case":
            while end < last and source.text(end) not in (";", "{"):
                end += 1
            if any(source.text(i) == "return" and source.text(i - 1) == ":" for i in range(index, end)):
                lines.update(range(source.toks[index].line, source.toks[end].line + 1))
    return len(lines)


def check_functions(path: Path, source: Source) -> List[Finding]:
    findings = []
    for index, token in enumerate(source.toks):
        if token.text != "{" or source.partner[index] < 0 or not source.is_block(index):
            continue
        name = function_name(source, index)
        lines = source.toks[source.partner[index]].line - token.line + 1
        if name and lines > FUNCTION_LINES:
            lines -= table_lines(source, index, source.partner[index])
        if name and lines > FUNCTION_LINES:
            findings.append(Finding(path, token.line, "function-size", f"{name} has {lines} lines, at most {FUNCTION_LINES}"))
    return findings


def parameters(source: Source, opening: int) -> int:
    close = source.partner[opening]
    inside = [i for i in range(opening + 1, close) if source.parent[i] == opening]
    if not inside:
        return 0
    angle = commas = 0
    for i in inside:
        angle += {"<": 1, ">": -1, "<<": 2, ">>": -2}.get(source.text(i), 0)
        commas += source.text(i) == "," and angle == 0
    return commas + 1


def check_classes(path: Path, source: Source) -> List[Finding]:
    findings = []
    for index, token in enumerate(source.toks):
        if token.text not in ("class", "struct"):
            continue
        name_at = index + 1
        while source.text(name_at) == "[":  # attributes
            name_at = source.partner[name_at] + 1
        name = source.text(name_at)
        if EMPTY_NAME.search(name) and source.text(name_at + 1) in ("{", ":", "final", ";"):
            findings.append(Finding(path, token.line, "name", f"{name}: say what it does"))
        brace = name_at + 1
        while source.text(brace) not in ("{", ";", "", "(", ")", ">", ",", "="):
            brace += 1
        if source.text(brace) != "{":
            continue
        for at in range(brace + 1, source.partner[brace]):
            is_constructor = source.parent[at] == brace and source.text(at) == name and source.text(at + 1) == "("
            if is_constructor and source.text(at - 1) != "~" and parameters(source, at + 1) > CONSTRUCTOR_PARAMETERS:
                count = parameters(source, at + 1)
                findings.append(Finding(path, source.toks[at].line, "parameters",
                                        f"{name} takes {count}, at most {CONSTRUCTOR_PARAMETERS}: use an Options struct"))
    return findings


def check_file(root: Path, path: Path) -> List[Finding]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    relative = path.relative_to(root)
    findings = []
    if path.suffix == ".hpp":
        if path.name != "pch.hpp":
            findings += check_header(path, lines, relative)
    elif len(lines) > SOURCE_LINES:
        findings.append(Finding(path, 1, "source-size", f"{len(lines)} lines, at most {SOURCE_LINES}"))
    if EMPTY_FILE.search(path.stem):
        findings.append(Finding(path, 1, "name", f"{path.name}: say what is in it"))
    source = Source(text)
    return findings + check_functions(path, source) + check_classes(path, source)


def main() -> int:
    root = cpp_source.root_from_arguments()
    findings: List[Finding] = []
    for path in cpp_source.cpp_files(root, "src", "tests", "examples"):
        findings += check_file(root, path)
    return cpp_source.report("sizes", root, findings)


if __name__ == "__main__":
    sys.exit(main())
