"""What the lints share: the repository's C++ files, their tokens without comments and strings, and findings."""

import re
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent

# A line is let off by a comment on it or on the line above it, and the comment must say why:
#   // lint: allow(sleep-in-unit-test): a real timer is what is tested
ALLOW = re.compile(r"//\s*lint: allow\(([a-z-]+)\):\s*\S")


class Finding(NamedTuple):
    path: Path
    line: int
    rule: str
    text: str


class Token(NamedTuple):
    text: str
    line: int


def cpp_files(root: Path, *folders: str) -> Iterator[Path]:
    """All C++ files below `root`/`folders`, sorted. The samples of the lints' own test are not the project's code."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp") and "samples" not in path.relative_to(root).parts:
                yield path


_LEXER = re.compile(
    r"""
    (?P<comment>//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/)
  | (?P<raw>\b(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
  | (?P<string>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*")
  | (?P<char>(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+')
  | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<number>\.?\d(?:'?[\w.]|[eEpP][+-])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<operator>\.\.\.|->\*?|::|&&|\|\||\+\+|--|<<=?|[-+*/%&|^!=<>]=|\S)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def tokens(text: str) -> List[Token]:
    """Words, numbers and operators. A string or character literal is one token `""`; comments and directives are left out."""
    found = []
    line = 1
    position = 0
    for match in _LEXER.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        kind = match.lastgroup
        if kind in ("raw", "tag", "string", "char"):
            found.append(Token('""', line))
        elif kind not in ("comment", "directive"):
            found.append(Token(match.group(), line))
    return found


def matching_brackets(toks: List[Token]) -> List[int]:
    """For each bracket the index of its partner, else -1. `<` and `>` are operators here."""
    partner = [-1] * len(toks)
    opening = {")": "(", "]": "[", "}": "{"}
    stack: List[int] = []
    for index, token in enumerate(toks):
        if token.text in ("(", "[", "{"):
            stack.append(index)
        elif token.text in opening and stack and toks[stack[-1]].text == opening[token.text]:
            partner[index] = stack.pop()
            partner[partner[index]] = index
    return partner


def allowed(lines: List[str], finding: Finding) -> bool:
    for number in (finding.line, finding.line - 1):
        if 1 <= number <= len(lines):
            match = ALLOW.search(lines[number - 1])
            if match and match.group(1) == finding.rule:
                return True
    return False


def root_from_arguments() -> Path:
    return Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPOSITORY


def report(name: str, root: Path, findings: List[Finding]) -> int:
    """Prints the findings that no comment lets off, as `file:line: rule: text`. Returns the exit code."""
    sources = {}
    count = 0
    for finding in sorted(findings):
        if finding.path not in sources:
            sources[finding.path] = finding.path.read_text(encoding="utf-8", errors="replace").splitlines()
        if allowed(sources[finding.path], finding):
            continue
        print(f"{finding.path.relative_to(root)}:{finding.line}: {finding.rule}: {finding.text}")
        count += 1
    print(f"{name}: {count} found" if count else f"{name}: ok")
    return 1 if count else 0
