#!/usr/bin/env python3
"""scenarios_test.py ETCD_MONITOR: every scenario here passes with us and with promtool; and every copy of one in which
a single time, value or text was changed has the same verdict with both, whatever that is."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import List

FOLDER = Path(__file__).parent
MONITOR = sys.argv.pop(1)
CHANGES = [
    (re.compile(r"(eval_time: )(\d+)(m)"), lambda m: f"{m[1]}{int(m[2]) + 1}{m[3]}"),
    (re.compile(r"(value: )([\d.]+)()"), lambda m: f"{m[1]}{float(m[2]) + 1}{m[3]}"),
    (re.compile(r"(severity: )(\w+)()"), lambda m: f"{m[1]}other{m[3]}"),
]


def passes(command: List[str]) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.returncode == 0


def verdicts(file: Path) -> List[bool]:
    return [passes([MONITOR, "rules", "test", str(file)]), passes(["promtool", "test", "rules", str(file)])]


def changed(text: str) -> List[str]:
    copies = []
    for pattern, change in CHANGES:
        for match in pattern.finditer(text):
            copies.append(text[: match.start()] + change(match) + text[match.end() :])
    return copies


class Scenarios(unittest.TestCase):
    def test_pass_with_both(self) -> None:
        for file in sorted(FOLDER.glob("*.yml")):
            with self.subTest(file=file.name):
                self.assertEqual(verdicts(file), [True, True])

    def test_changed_ones_have_one_verdict(self) -> None:
        file = FOLDER / "own_rules.yml"
        text = file.read_text()
        rules = str(FOLDER / "rules")
        copies = changed(text)
        failing = 0
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for number, copy in enumerate(copies):
            with self.subTest(copy=number):
                path = Path(folder.name) / "changed.yml"
                path.write_text(copy.replace("[rules/", f"[{rules}/"))
                ours, theirs = verdicts(path)
                self.assertEqual(ours, theirs, copy)
                failing += not ours
        self.assertGreater(failing, 10, "changes that nobody notices prove nothing")


if __name__ == "__main__":
    unittest.main()
