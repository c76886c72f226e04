#!/usr/bin/env python3
"""check_layers.py [ROOT]: holds every #include "module/file" against src/layers.txt.

Rules: layer           a module includes only what its line in layers.txt names; tests beside the code obey the same line
       detail          x/detail/ is included from x only
       heavy-header    a public header includes no protocol, TLS or format library
       relative        includes of our own are "module/file.hpp" from src/, never "../x" or "x"
       layers-file     layers.txt names each folder of src/, and its modules have no cycle
"""

import re
import sys
from pathlib import Path
from typing import Dict, List, Set

import cpp_source
from cpp_source import Finding

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
HEAVY = re.compile(
    r"^(nghttp2|google/protobuf|openssl|boost/(beast|json|url)|nlohmann|yaml-cpp|spdlog|curl|hiredis)/"
    r"|^(sqlite3|libpq-fe|argon2)\.h$|\.pb\.h$"
)


def read_layers(path: Path, findings: List[Finding]) -> Dict[str, Set[str]]:
    layers: Dict[str, Set[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#", 1)[0].split("(", 1)[0]
        if not line.strip():
            continue
        name, _, rest = line.partition(":")
        layers[name.strip()] = set(rest.split())
        # Each line may name only modules above it: that is what rules cycles out.
        for module in sorted(layers[name.strip()] - {"*"} - (set(layers) - {name.strip()})):
            findings.append(Finding(path, number, "layers-file", f"{name.strip()} names {module}, which is not above it"))
    return layers


def check_file(root: Path, path: Path, layers: Dict[str, Set[str]]) -> List[Finding]:
    findings = []
    parts = path.relative_to(root).parts
    in_src = parts[0] == "src"
    module = parts[1] if in_src and len(parts) > 2 else None
    allowed = layers.get(module, {"*"}) if module else {"*"}
    public_header = module is not None and path.suffix == ".hpp" and "detail" not in parts
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        if public_header and HEAVY.search(target):
            findings.append(Finding(path, number, "heavy-header", f"<{target}> belongs into a .cpp or into {module}/detail/"))
        if quote == "<":
            continue
        to = target.split("/")
        if ".." in to or (in_src and module and len(to) == 1):
            findings.append(Finding(path, number, "relative", f'write "module/file.hpp", not "{target}"'))
            continue
        if to[0] not in layers:
            continue
        if module and to[0] != module and "*" not in allowed and to[0] not in allowed:
            findings.append(Finding(path, number, "layer", f"{module} must not include {to[0]} ({target})"))
        if "detail" in to[1:-1] and to[0] != module:
            findings.append(Finding(path, number, "detail", f"{target} is private to {to[0]}"))
    return findings


def main() -> int:
    root = cpp_source.root_from_arguments()
    findings: List[Finding] = []
    layers_file = root / "src" / "layers.txt"
    layers = read_layers(layers_file, findings)
    for folder in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        if folder.name not in layers:
            findings.append(Finding(layers_file, 1, "layers-file", f"src/{folder.name} has no line"))
    for path in cpp_source.cpp_files(root, "src", "tests", "examples"):
        findings += check_file(root, path, layers)
    return cpp_source.report("layers", root, findings)


if __name__ == "__main__":
    sys.exit(main())
