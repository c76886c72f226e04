"""Results as they are kept between runs, and docs/performance.md made of them."""

import json
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import List

from .machine import ROOT

KEPT = ROOT / "build" / "perf"
PAGE = ROOT / "docs" / "performance.md"


@dataclass
class Row:
    """One number against its goal."""

    what: str
    goal: str
    measured: str
    met: bool


@dataclass
class Table:
    title: str
    head: List[str]
    rows: List[List[str]]


@dataclass
class Section:
    """What one subcommand found."""

    name: str
    title: str
    method: str
    rows: List[Row] = field(default_factory=list)
    tables: List[Table] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    quick: bool = False
    seconds: float = 0
    at: str = ""

    def row(self, what: str, goal: str, measured: str, met: bool) -> None:
        self.rows.append(Row(what, goal, measured, met))
        print(f"  {what}: {measured}   (goal {goal}: {verdict(met)})", flush=True)

    def table(self, title: str, head: List[str], rows: List[List[str]]) -> None:
        self.tables.append(Table(title, head, rows))

    def save(self) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        self.at = time.strftime("%Y-%m-%d", time.gmtime())
        (KEPT / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False))


def load(name: str) -> Section:
    data = json.loads((KEPT / f"{name}.json").read_text())
    data["rows"] = [Row(**row) for row in data["rows"]]
    data["tables"] = [Table(**table) for table in data["tables"]]
    return Section(**data)


def verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def markdown_table(head: List[str], rows: List[List[str]]) -> List[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


INTRODUCTION = """# Performance

Written by `make perf` (`scripts/perf.sh`), from its own runs on one machine; `tests/perf/run.py --help` says how to take one number alone.

**How to read it.** Absolute times are worth little here: a virtual machine with neighbours gives the same work twice the time a minute later.
Therefore what can be compared is compared: whole processes, in turn, round by round, and each ratio is taken inside one round; a cell is
`median [lowest–highest]` of the rounds. Client CPU is what `wait4` says of a whole process, or the process's scheduler clock over a
stretch of time; server CPU the same clock of its processes divided by what they served. Latencies of closed-loop clients leave out
what a slower client would have seen. A goal that was missed says so.
"""


def write_page(names: List[str]) -> None:
    sections = [load(name) for name in names if (KEPT / f"{name}.json").exists()]
    lines = [INTRODUCTION]
    lines.append(f"Machine: {os.cpu_count()} virtual cores of {processor()}, Linux {platform.release().split('-')[0]}, "
                 f"{platform.machine()}; load generators, servers and monitor share them.\n")
    lines += markdown_table(["what", "goal", "measured", ""],
                            [[r.what, r.goal, r.measured, verdict(r.met)] for s in sections for r in s.rows])
    for section in sections:
        when = f"{section.at}, {section.seconds / 60:.1f} minutes" + (", a quick run with few rounds" if section.quick else "")
        lines += ["", f"## {section.title}", "", section.method, "", f"Taken {when}."]
        for table in section.tables:
            lines += ["", f"{table.title}:", ""] + markdown_table(table.head, table.rows)
        if section.notes:
            lines += [""] + [f"- {note}" for note in section.notes]
    PAGE.write_text("\n".join(lines) + "\n")
    print(f"wrote {PAGE.relative_to(ROOT)}")
