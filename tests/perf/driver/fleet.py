"""A thousand members in one process, and three."""

import http.client
import threading
import time
from pathlib import Path
from typing import Dict, List, Optional

from . import certificates, etcds
from .machine import Spread, quantile, round_to, scratch, wait_for, window
from .monitor import Monitor, config_file
from .report import Section
from .sims import Sims

CLUSTERS, MEMBERS = 200, 5
ALL = CLUSTERS * MEMBERS


def await_fleet(monitor: Monitor) -> float:
    """Seconds until every member of every cluster is known and healthy."""
    def healthy() -> bool:
        rows = monitor.clusters()
        return len(rows) == CLUSTERS and all(row["healthy"] and row["member_count"] == MEMBERS for row in rows)
    wait_for(healthy, 90, "all clusters to be healthy", 0.1)
    return time.monotonic() - monitor.began


class Paced:
    """GETs of the status of one cluster after another at a steady rate; latency counts from when a request was due."""

    CONNECTIONS = 4

    def __init__(self, port: int, rate: float, seconds: float):
        self._port, self._rate, self._count = port, rate, int(rate * seconds)
        self._lock = threading.Lock()
        self.latencies: List[float] = []
        self.failed = 0

    def run(self) -> None:
        self._began = time.monotonic() + 0.1
        threads = [threading.Thread(target=self._one, args=(k,)) for k in range(self.CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one(self, first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        mine, failed = [], 0
        for i in range(first, self._count, self.CONNECTIONS):
            due = self._began + i / self._rate
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            connection.request("GET", f"/api/v1/cluster/status?cluster=c{i % CLUSTERS + 1}")
            answer = connection.getresponse()
            answer.read()
            failed += answer.status != 200
            mine.append(time.monotonic() - due)
        with self._lock:
            self.latencies += mine
            self.failed += failed


class Fleet:
    """Monitors of the whole fleet, one at a time."""

    def __init__(self, section: Section, folder: Path, quick: bool):
        self.section, self.folder, self.quick = section, folder, quick

    def steady(self, label: str, tls: Optional[Dict[str, str]]) -> Dict[str, float]:
        """At the default cadences."""
        with Sims(self.folder, CLUSTERS, MEMBERS, tls=tls) as sims:
            config = config_file(self.folder / "fleet.yaml", sims.configured(tls))
            with Monitor([f"--config={config}"], self.folder, read_stdout=False, name="fleet-" + label) as monitor:
                found = {"ready": await_fleet(monitor)}
                time.sleep(5 if self.quick else 25)
                windows = [window([monitor.pid, sims.pid], 5) for _ in range(4 if self.quick else 12)]
                cores = Spread([w.cpu[0] / w.seconds * 100 for w in windows])
                total = sum(w.cpu[0] for w in windows) / sum(w.seconds for w in windows) * 100
                found.update(cpu=total, spread=cores, rss=monitor.memory()["VmRSS"], age=time.monotonic() - monitor.began,
                             others=Spread([w.others for w in windows]))
                unhealthy = [row["name"] for row in monitor.clusters() if not row["healthy"]]
                if unhealthy:
                    self.section.notes.append(f"{label}: not healthy at the end of the window: {', '.join(unhealthy[:5])}")
                if not tls:
                    paced = Paced(monitor.port, 1000, 3 if self.quick else 10)
                    paced.run()
                    found["latencies"] = paced.latencies
                    found["failed"] = paced.failed
                return found

    def filled(self) -> Dict[str, float]:
        """An hour's rows, ten times as fast: a scrape a second, of members whose time runs ten times."""
        seconds = 40 if self.quick else 365
        with Sims(self.folder, CLUSTERS, MEMBERS, time_scale=10) as sims:
            config = config_file(self.folder / "filled.yaml", sims.configured(), metrics_interval="1s")
            with Monitor([f"--config={config}"], self.folder, read_stdout=False, name="filled") as monitor:
                await_fleet(monitor)
                before = sims.counters()["pages"]
                grown = [(0.0, monitor.memory()["VmRSS"])]
                began = time.monotonic()
                while time.monotonic() - began < seconds:
                    time.sleep(min(30.0, seconds / 4))
                    grown.append((time.monotonic() - began, monitor.memory()["VmRSS"]))
                rows = (sims.counters()["pages"] - before) / ALL
                return {"rss": monitor.memory()["VmRSS"], "rows": rows, "grown": grown}


def base(folder: Path, quick: bool) -> List[float]:
    """RSS with one real cluster of three, at the default cadences, after a while."""
    found = []
    for version in etcds.versions():
        place = folder / f"base-{version.minor}"
        place.mkdir()
        with etcds.Cluster(version, place) as cluster, Monitor([f"--endpoints={cluster.urls}"], place) as monitor:
            monitor.await_whole(3)
            time.sleep(5 if quick else 30)
            found.append(monitor.memory()["VmRSS"])
    return found


def measure(quick: bool) -> Section:
    section = Section(
        "fleet", "A thousand members in one process",
        f"{CLUSTERS} clusters of {MEMBERS} simulated members, one endpoint of each in the configuration, default cadences (pulse 1 s, "
        "metrics 10 s, health check 30 s). CPU of the monitor's process over a minute that begins half a minute after all are "
        "healthy. Memory of an hour: a second run scrapes every second members whose time runs ten times as fast, until each has 360 "
        "rows, as many and as different as an hour brings. mTLS: the same with client certificates on every connection.", quick=quick)
    with scratch() as top:
        folder = Path(top)
        fleet = Fleet(section, folder, quick)
        plain = fleet.steady("plain", None)
        tls = fleet.steady("mtls", certificates.make(folder))
        full = fleet.filled()
        bases = base(folder, quick)
    section.row(f"CPU of a core, {ALL} members", "≤ 15 %", f"{plain['cpu']:.1f} % {plain['spread'].text(3)}", plain["cpu"] <= 15)
    enough = full["rows"] >= 355
    section.row(f"RSS, {ALL} members, {full['rows']:.0f} rows each", "≤ 250 MB", f"{full['rss']:.0f} MB",
                enough and full["rss"] <= 250)
    with_tls = full["rss"] + tls["rss"] - plain["rss"]
    section.row("the same under mTLS", "CPU reported; ≤ 300 MB", f"{tls['cpu']:.1f} % {tls['spread'].text(3)}, {with_tls:.0f} MB",
                with_tls <= 300)
    section.row("RSS, one real cluster of three", "≤ 20 MB", Spread(bases).text(3, "MB"), max(bases) <= 20)
    p99 = quantile(plain["latencies"], 0.99) * 1000
    section.row(f"status API at 1 000/s while {ALL} members are watched, p99", "≤ 5 ms",
                f"{round_to(p99, 2)} ms, p50 {round_to(quantile(plain['latencies'], 0.5) * 1000, 2)} ms"
                + (f", {plain['failed']} failed" if plain["failed"] else ""), p99 <= 5 and not plain["failed"])
    section.table("Runs", ["", "all healthy after, s", "CPU, % of a core", "RSS, MB", "at age, s", "others, cores"], [
        [name, f"{run['ready']:.1f}", run["spread"].text(3), f"{run['rss']:.0f}", f"{run['age']:.0f}", run["others"].text(2)]
        for name, run in (("plain text", plain), ("mTLS", tls))])
    section.table("RSS while the hour fills", ["after, s", "MB"], [[f"{at:.0f}", f"{mb:.0f}"] for at, mb in full["grown"]])
    section.notes.append("The mTLS figure is the filled plain one plus what mTLS cost more at the same age in the runs above.")
    section.notes.append("The paced client is Python on the same two cores; its own delays count against the monitor.")
    return section
