"""How soon a bad day is seen: real clusters, the release binary, its console and its API."""

import re
import signal
import threading
import time
from pathlib import Path
from typing import Dict, List, Optional

from . import etcds
from .machine import Http, Spread, quantile, round_to, scratch
from .monitor import Monitor
from .report import Section

PULSE = 1.0
ELECTION = 1.0


class Watcher:
    """Polls the members' page without a pause, on a kept connection, and keeps when a member's reach changed."""

    def __init__(self, monitor: Monitor):
        self._monitor = monitor
        self._stop = threading.Event()
        self.changes: List[tuple] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        api = Http("127.0.0.1", self._monitor.port)
        last: Dict[str, tuple] = {}
        while not self._stop.is_set():
            try:
                page = api.json("/api/v1/cluster/members")
            except OSError:
                continue
            now = time.monotonic()
            for member in page["members"]:
                state = (member["reach"], member.get("cause"))
                if last.get(member["name"]) != state:
                    last[member["name"]] = state
                    self.changes.append((now, member["name"], *state))
            time.sleep(0.001)

    def first(self, name: str, reach: str, since: float) -> Optional[float]:
        return next((at for at, who, what, _ in list(self.changes) if who == name and what == reach and at >= since), None)


class Bench:
    """One cluster under one monitor, through all the bad days."""

    def __init__(self, section: Section, version: etcds.Version, folder: Path, quick: bool):
        self.section = section
        self.folder = folder
        self.quick = quick
        self.cluster = etcds.Cluster(version, folder)
        self.label = f"etcd {version.minor}"
        self.found: Dict[str, List[float]] = {}
        self.missed: Dict[str, int] = {}
        self.console: List[tuple] = []
        self.causes: Dict[str, int] = {}

    def note(self, what: str, value: Optional[float]) -> None:
        if value is None:
            self.missed[what] = self.missed.get(what, 0) + 1
            self.found.setdefault(what, [])
            print(f"  {self.label}: {what}: not seen; the console's last lines:", flush=True)
            for _, line in self.console[-6:]:
                print(f"    {line}")
        else:
            self.found.setdefault(what, []).append(value)

    def run(self) -> None:
        with self.cluster:
            self.startups(3 if self.quick else 10)
            with Monitor([f"--endpoints={self.cluster.urls}"], self.folder) as monitor:
                self.console = monitor.lines
                monitor.await_whole(3)
                time.sleep(2)
                for i in range(4 if self.quick else 20):
                    self.killed(monitor, self.cluster.names[i % 3])
                for i in range(2 if self.quick else 5):
                    self.leader_moved(monitor)
                for i in range(2 if self.quick else 5):
                    self.hung(monitor, self.cluster.names[i % 3])
                for i in range(1 if self.quick else 3):
                    self.leader_lost(monitor)

    def startups(self, count: int) -> None:
        for _ in range(count):
            with Monitor([f"--endpoints={self.cluster.urls}"], self.folder, name="startup") as monitor:
                self.note("start", monitor.first_verdict())

    def recovered(self, monitor: Monitor, *names: str) -> None:
        for name in names:
            self.cluster.start(name)
        for name in names:
            self.cluster.await_healthy(name)
        monitor.await_whole(3)
        # Long enough for a pulse and the reconnections to be over.
        time.sleep(1.2)

    def killed(self, monitor: Monitor, name: str) -> None:
        leading = self.cluster.leader() == name
        with Watcher(monitor) as watcher:
            time.sleep(0.1)
            began = self.cluster.kill(name)
            told = monitor.wait_line(lambda line: f"{name} unreachable (" in line, began, 5)
            time.sleep(0.1)
            shown = watcher.first(name, "unreachable", began)
        self.note("killed, console", told and told[0] - began)
        if told:
            cause = told[1].partition(f"{name} unreachable (")[2].partition(")")[0]
            self.causes[cause] = self.causes.get(cause, 0) + 1
        self.note("killed, API", shown and shown - began)
        if leading:
            self.note_leader_change(monitor, began)
        self.recovered(monitor, name)

    def note_leader_change(self, monitor: Monitor, began: float) -> None:
        """From the moment the new leader wrote that it leads."""
        told = monitor.wait_line(lambda line: "the leader changed" in line, began, 10)
        stamps = [self.cluster.became_leader(n) for n in self.cluster.names]
        since = [at for at in stamps if at is not None and at >= began - 0.001]
        self.note("leader changed", told[0] - max(since) if told and since else None)

    def leader_moved(self, monitor: Monitor) -> None:
        to = next(n for n in self.cluster.names if n != self.cluster.leader())
        began = time.monotonic()
        self.cluster.ctl("move-leader", self.cluster.member_id(to))
        self.note_leader_change(monitor, began)
        time.sleep(2)

    def hung(self, monitor: Monitor, name: str) -> None:
        program = self.cluster.programs[name]
        began = time.monotonic()
        program.signal(signal.SIGSTOP)
        told = monitor.wait_line(lambda line: re.search(rf"\b{name} (is )?hung", line) is not None, began, 12)
        self.note("hung", told and told[0] - began)
        program.signal(signal.SIGCONT)
        monitor.await_whole(3)
        time.sleep(1.5)

    def leader_lost(self, monitor: Monitor) -> None:
        leader = self.cluster.leader()
        other = next(n for n in self.cluster.names if n != leader)
        began = self.cluster.kill(leader, other)
        told = monitor.wait_line(lambda line: "has no leader" in line, began, 15)
        self.note("leader lost", told and told[0] - began)
        self.recovered(monitor, leader, other)


def milliseconds(values: List[float]) -> List[float]:
    return [v * 1000 for v in values]


def cell(values: List[float], missed: int) -> str:
    text = Spread(milliseconds(values)).text(3, "ms") if values else "–"
    return text + (f", not seen {missed} times" if missed else "")


def measure(quick: bool) -> Section:
    section = Section(
        "detection", "How soon it is seen",
        "A real three-member cluster of each etcd version under the release binary with its default intervals (pulse 1 s, "
        "`--election-timeout` 1 s). A trial does the harm and reads the clock just before the signal; *console* is when the line "
        "came through the pipe of the monitor's standard output, *API* when `/api/v1/cluster/members`, polled without a pause on "
        "a kept connection, said `unreachable`. A changed leader counts from the millisecond in which the new leader's own log "
        "says so. Start-up counts from the start of the process to the first `/api/v1/cluster/status` that says `healthy`.",
        quick=quick)
    benches = []
    with scratch() as top:
        for version in etcds.versions():
            folder = Path(top) / version.minor
            folder.mkdir()
            bench = Bench(section, version, folder, quick)
            bench.run()
            benches.append(bench)

    def all_of(what: str) -> List[float]:
        return [v for bench in benches for v in bench.found.get(what, [])]

    def missed(what: str) -> int:
        return sum(bench.missed.get(what, 0) for bench in benches)

    def row(title: str, goal: str, what: str, q: float, limit: float) -> None:
        values, lost = all_of(what), missed(what)
        name = "p99" if q == 0.99 else "longest"
        worst = quantile(milliseconds(values), q) if values else float("inf")
        section.row(title, goal, f"p50 {round_to(quantile(milliseconds(values), 0.5), 3)} ms, {name} {round_to(worst, 3)} ms "
                    f"of {len(values)}" + (f", {lost} not seen" if lost else "") if values else "not seen",
                    not lost and worst <= limit * 1000)

    row("member killed → console", "≤ 50 ms p99", "killed, console", 0.99, 0.05)
    row("member killed → API", "≤ 50 ms p99", "killed, API", 0.99, 0.05)
    row("member hung (SIGSTOP) → console", "≤ 4 s", "hung", 1, 4)
    row("leader lost (two of three killed) → console", "≤ 2 election timeouts + pulse + 0.2 s", "leader lost", 1,
        2 * ELECTION + PULSE + 0.2)
    row("leader changed → console", "≤ pulse + 0.2 s", "leader changed", 1, PULSE + 0.2)
    row("start-up → first verdict", "≤ 0.5 s", "start", 1, 0.5)
    names = ["killed, console", "killed, API", "hung", "leader lost", "leader changed", "start"]
    section.table("Median [lowest–highest]", ["", *names],
                  [[b.label, *(cell(b.found.get(n, []), b.missed.get(n, 0)) for n in names)] for b in benches])
    section.table("Trials", ["", *names],
                  [[b.label, *(str(len(b.found.get(n, [])) + b.missed.get(n, 0)) for n in names)] for b in benches])
    causes = [f"{count} × {cause}" for bench in benches for cause, count in sorted(bench.causes.items())]
    section.notes.append(f"What the console named as the cause of an unreachable member: {', '.join(causes)}.")
    return section
