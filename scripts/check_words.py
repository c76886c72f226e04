#!/usr/bin/env python3
"""check_words.py [ROOT]: text that is true on one machine or on one day only. Reads every file that git knows.

Rules: machine-path     a home or workspace folder of one machine
       registry-host    a package mirror by name; scripts ask the package manager which one it uses
       promise          a note to do something later, instead of doing it or saying so in CHANGELOG.md
       merge-mark       a conflict left in a file
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import List

import cpp_source
from cpp_source import Finding

# The patterns are written so that they do not match themselves.
RULES = {
    "machine-path": re.compile(r"(?<![\w.$}*-])/(?:home|Users|work|workspace)/[\w.-]+|/root/[.]\w"),
    "registry-host": re.compile(r"https?://(?:[\w-]+\.)*(?:debian|ubuntu|npmjs|pypi|pythonhosted)[.](?:org|com)|https?://(?:deb|security|registry)[.]"),
    "promise": re.compile(r"\b(?:TO[D]O|FIX[M]E|X{3})\b"),
    "merge-mark": re.compile(r"^(?:<{7}|>{7}) "),
}
TEXT = {
    "machine-path": "use a path relative to the source or a temporary folder",
    "registry-host": "take the mirror from the package manager's own configuration",
    "promise": "do it, or leave it out",
    "merge-mark": "unresolved conflict",
}


def project_files(root: Path) -> List[Path]:
    listing = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                             capture_output=True, check=True).stdout
    return [root / name for name in sorted(listing.decode().split("\0")) if name]


def main() -> int:
    root = cpp_source.root_from_arguments()
    findings: List[Finding] = []
    for path in project_files(root):
        if not path.is_file() or path.is_symlink() or path.name == "package-lock.json":
            continue
        content = path.read_bytes()
        if b"\0" in content[:8192]:
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
            for rule, pattern in RULES.items():
                if pattern.search(line):
                    findings.append(Finding(path, number, rule, f"{TEXT[rule]}: {line.strip()[:100]}"))
    return cpp_source.report("words", root, findings)


if __name__ == "__main__":
    sys.exit(main())
