#!/usr/bin/env python3
"""The lints against their samples: in samples/bad each line that says `expect: rule` is found by that rule, and nothing
else is; in samples/good nothing is found. Sizes and words, whose samples would break the rules here, are made on the fly."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
RULES = {
    "layers": {"layer", "detail", "heavy-header", "relative", "layers-file"},
    "coroutines": {"await-with-lambda", "await-with-aggregate", "lambda-coroutine", "await-in-condition",
                   "await-in-list", "await-in-range-for", "two-awaits", "detached", "catch-all", "timer-race", "sleep-in-unit-test"},
    "sizes": {"header-size", "source-size", "function-size", "parameters", "opening-line", "pragma-once", "name"},
    "words": {"machine-path", "registry-host", "promise", "merge-mark"},
}


def run(lint, root):
    """The exit code, and the findings as {(file, line, rule)}."""
    done = subprocess.run([sys.executable, str(SCRIPTS / f"check_{lint}.py"), str(root)], capture_output=True, text=True)
    if done.stderr:
        raise AssertionError(done.stderr)
    found = re.findall(r"^(\S+?):(\d+): ([a-z-]+): ", done.stdout, re.MULTILINE)
    return done.returncode, {(path, int(line), rule) for path, line, rule in found}


def expected(root, rules):
    wanted = set()
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.search(r"expect: ([a-z, -]+)$", line)
            for rule in match.group(1).split(", ") if match else ():
                if rule in rules:
                    wanted.add((path.relative_to(root).as_posix(), number, rule))
    return wanted


class Samples(unittest.TestCase):
    maxDiff = None

    def check_bad(self, lint):
        code, found = run(lint, HERE / "samples" / "bad")
        self.assertEqual(found, expected(HERE / "samples" / "bad", RULES[lint]))
        self.assertEqual(code, 1)

    def check_good(self, lint):
        self.assertEqual(run(lint, HERE / "samples" / "good"), (0, set()))

    def test_layers(self):
        self.check_bad("layers")
        self.check_good("layers")

    def test_coroutines(self):
        self.check_bad("coroutines")
        self.check_good("coroutines")

    def test_sizes(self):
        self.check_bad("sizes")
        self.check_good("sizes")

    def test_every_rule_has_a_sample(self):
        for lint in ("layers", "coroutines"):
            seen = {rule for _, _, rule in expected(HERE / "samples" / "bad", RULES[lint])}
            self.assertEqual(seen, RULES[lint])


class Limits(unittest.TestCase):
    def sizes_of(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "src", "base", name)
            path.parent.mkdir(parents=True)
            path.write_text(text)
            return {(line, rule) for _, line, rule in run("sizes", folder)[1]}

    def test_header(self):
        head = "// base/x.hpp: a sample.\n#pragma once\n"
        self.assertEqual(self.sizes_of("x.hpp", head + "int a;\n" * 248), set())
        self.assertEqual(self.sizes_of("x.hpp", head + "int a;\n" * 249), {(1, "header-size")})

    def test_source(self):
        self.assertEqual(self.sizes_of("x.cpp", "int a;\n" * 600), set())
        self.assertEqual(self.sizes_of("x.cpp", "int a;\n" * 601), {(1, "source-size")})

    def test_function(self):
        self.assertEqual(self.sizes_of("x.cpp", "void f() {\n" + "  g();\n" * 58 + "}\n"), set())
        self.assertEqual(self.sizes_of("x.cpp", "void f() const {\n" + "  g();\n" * 59 + "}\n"), {(1, "function-size")})
        self.assertEqual(self.sizes_of("x.cpp", "namespace a {\n" + "int g;\n" * 80 + "}\n"), set())
        self.assertEqual(self.sizes_of("x.cpp", "Table t = {\n" + "  1,\n" * 80 + "};\n"), set())
        self.assertEqual(self.sizes_of("x.cpp", "int f() {\n  use({\n" + "    1,\n" * 80 + "  });\n}\n"), set())
        self.assertEqual(self.sizes_of("x.cpp", "int f() {\n" + "  case 1:\n    return 2;\n" * 40 + "}\n"), set())


class Words(unittest.TestCase):
    def words_of(self, text):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "init", "-q", folder], check=True)
            Path(folder, "file.txt").write_text(text)
            return {rule for _, _, rule in run("words", folder)[1]}

    def test_bad(self):
        self.assertEqual(self.words_of("cd /ho" + "me/anna/src\n"), {"machine-path"})
        self.assertEqual(self.words_of("PATH=/root" + "/.local/bin\n"), {"machine-path"})
        self.assertEqual(self.words_of("curl https:/" + "/deb.example.org/x\n"), {"registry-host"})
        self.assertEqual(self.words_of("// TO" + "DO: later\n"), {"promise"})
        self.assertEqual(self.words_of("<<<<" + "<<< ours\n"), {"merge-mark"})

    def test_good(self):
        self.assertEqual(self.words_of("/etc/etcd-monitor, $HOME/work/x, https://etcd.io, method XXXX\n"), set())


if __name__ == "__main__":
    unittest.main()
