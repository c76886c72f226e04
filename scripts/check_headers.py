#!/usr/bin/env python3
"""check_headers.py BUILD: compiles each header of src/ alone, without the precompiled header that hides missing includes.

BUILD is a configured and built tree: its flags are used, and generated code is found there."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Tuple

import compile_commands
import cpp_source


def flags_by_module(build: Path, src: Path) -> Dict[str, Tuple[List[str], str]]:
    flags = {}
    for entry in compile_commands.commands(build):
        path = Path(entry["file"])
        if src in path.parents and not path.name.endswith("_test.cpp"):
            module = path.relative_to(src).parts[0]
            flags.setdefault(module, (compile_commands.plain_arguments(entry, keep_gcc=True), entry["directory"]))
    return flags


def main() -> int:
    build, src = Path(sys.argv[1]).resolve(), cpp_source.REPOSITORY / "src"
    flags = flags_by_module(build, src)

    def compile_alone(header: Path) -> Tuple[Path, str]:
        module = header.relative_to(src).parts[0]
        if module not in flags:
            return header, f"no source of {module} in {build.name}: nothing gives its flags\n"
        arguments, directory = flags[module]
        done = subprocess.run(arguments + ["-fsyntax-only", "-x", "c++", "-"], cwd=directory, capture_output=True, text=True,
                              input=f'#include "{header.relative_to(src)}"\n')
        return header, done.stderr if done.returncode else ""

    headers = [path for path in cpp_source.cpp_files(cpp_source.REPOSITORY, "src") if path.suffix == ".hpp"]
    headers.remove(src / "pch.hpp")
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for header, errors in pool.map(compile_alone, headers):
            if errors:
                failed += 1
                print(f"{header.relative_to(cpp_source.REPOSITORY)}: not self-contained\n{errors}", end="")
    print(f"headers: {failed} of {len(headers)} are not self-contained" if failed else f"headers: ok ({len(headers)})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
