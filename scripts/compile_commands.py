#!/usr/bin/env python3
"""compile_commands.py BUILD OUT: rewrites BUILD/compile_commands.json into OUT for clang's tools.

g++'s precompiled header and its own flags mean nothing to clang: the plain header stands in for the one, the others go.
A file that CMake made of several sources (ETCDMON_UNITY) stands for these."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import List

import cpp_source

GCC_ONLY = {"-Winvalid-pch", "-fpch-preprocess", "-fcoroutines", "-fno-ipa-modref", "-Werror"}


def commands(build: Path) -> List[dict]:
    found = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        parts = [entry["file"]]
        if Path(entry["file"]).name.startswith("unity_"):
            parts = re.findall(r'^#include "(.+)"$', Path(entry["file"]).read_text(), re.MULTILINE)
        found.extend({**entry, "file": part} for part in parts)
    return found


def plain_arguments(entry: dict, keep_gcc: bool = False) -> List[str]:
    """The compiler's arguments without precompiled header, input and output."""
    given = shlex.split(entry["command"])
    kept = []
    index = 0
    while index < len(given):
        word = given[index]
        if word in ("-o", "-c") or (word == "-include" and "cmake_pch" in given[index + 1]):
            index += 2
            continue
        if keep_gcc and word in ("-Winvalid-pch", "-fpch-preprocess"):
            pass
        elif keep_gcc or word not in GCC_ONLY:
            kept.append(word)
        index += 1
    return kept


def main() -> int:
    build, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    entries = []
    for entry in commands(build):
        if not entry["file"].startswith(f"{cpp_source.REPOSITORY}/") or entry["file"].startswith(f"{build}/"):
            continue
        arguments = plain_arguments(entry) + ["-Wno-unknown-warning-option", "-include",
                                              str(cpp_source.REPOSITORY / "src" / "pch.hpp"), "-c", entry["file"]]
        entries.append({"directory": entry["directory"], "file": entry["file"], "arguments": arguments})
    out.mkdir(parents=True, exist_ok=True)
    (out / "compile_commands.json").write_text(json.dumps(entries, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
