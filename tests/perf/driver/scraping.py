"""What a scrape costs us and Prometheus, on the same pages; and what it costs etcd."""

import time
from pathlib import Path
from typing import List, Optional

from . import etcds
from .machine import Http, Program, Spread, free_port, ratios, scratch, tool, wait_for, window
from .monitor import Monitor, config_file
from .report import Section
from .sims import Sims, load

INTERVAL = 2
CLUSTERS, MEMBERS = 20, 5

# The families that the monitor keeps, without those of gRPC: of them it keeps sums only, which Prometheus cannot make.
KEPT_BY_US = (
    "etcd_server_(has_leader|is_leader|is_learner|leader_changes_seen_total|heartbeat_send_failures_total|proposals_.*|"
    "slow_apply_total|slow_read_indexes_total|read_indexes_failed_total|quota_backend_bytes|"
    "snapshot_apply_in_progress_total|apply_duration_seconds.*|id)|"
    "etcd_disk_(defrag_inflight|wal_fsync_duration_seconds.*|backend_commit_duration_seconds.*)|"
    "etcd_mvcc_(db_total_size_in_bytes|db_total_size_in_use_in_bytes|put_total|delete_total|txn_total|range_total)|"
    "etcd_debugging_mvcc_(keys_total|current_revision|compact_revision|watcher_total|watch_stream_total|"
    "slow_watcher_total|pending_events_total|events_total)|etcd_debugging_(auth_revision|lease_granted_total|"
    "lease_revoked_total)|etcd_network_(client_grpc_.*_bytes_total|active_peers|known_peers|disconnected_peers_total|"
    "peer_.*)|process_(cpu_seconds_total|resident_memory_bytes|virtual_memory_bytes|open_fds|max_fds|start_time_seconds)|"
    "go_goroutines|go_memstats_heap_inuse_bytes|up|scrape_samples_post_metric_relabeling")


class Prometheus(Program):
    def __init__(self, folder: Path, targets: List[str], interval: float, keep: Optional[str] = None, copies: int = 1):
        folder = Path(folder)
        self.port = free_port()
        lines = ["global:", f"  scrape_interval: {interval}s", f"  scrape_timeout: {interval}s", "scrape_configs:"]
        for copy in range(copies):
            lines += [f"- job_name: etcd{copy}", "  static_configs:", "  - targets:"]
            lines += [f"    - {target}" for target in targets]
            if keep:
                lines += ["  metric_relabel_configs:", "  - source_labels: [__name__]", f"    regex: '{keep}'", "    action: keep"]
        config = folder / "prometheus.yml"
        config.write_text("\n".join(lines) + "\n")
        data = folder / f"prometheus-{self.port}"
        super().__init__([tool("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={data}",
                          f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], folder / "prometheus.log")

    def series_a_target(self) -> float:
        api = Http("127.0.0.1", self.port)
        found = api.json("/api/v1/query?query=avg(scrape_samples_post_metric_relabeling)")["data"]["result"]
        return float(found[0]["value"][1])

    def await_scrapes(self) -> None:
        def up() -> bool:
            api = Http("127.0.0.1", self.port)
            found = api.json("/api/v1/query?query=min(up)")["data"]["result"]
            return bool(found) and found[0]["value"][1] == "1"
        wait_for(up, 30, "Prometheus to have scraped", 0.2)


def scraping_monitor(folder: Path, clusters, interval: str, name: str = "monitor") -> Monitor:
    """One that only scrapes: no pulse, health checks an hour apart."""
    config = config_file(Path(folder) / f"{name}.yaml", clusters, pulse_interval="0s", health_check_interval="1h",
                         metrics_interval=interval, hash_check_interval="0s")
    return Monitor([f"--config={config}"], folder, read_stdout=False, name=name)


def await_members(monitor: Monitor, clusters: int, members: int) -> None:
    def complete() -> bool:
        rows = monitor.clusters()
        return len(rows) == clusters and all(row["member_count"] == members and row["healthy"] for row in rows)
    wait_for(complete, 30, "the monitor to know all members")


class Contest:
    """The contestants on the same simulated members, in turn, each for a window after its warm-up."""

    def __init__(self, folder: Path, sims: Sims, seconds: float):
        self.folder, self.sims, self.seconds = folder, sims, seconds
        self.series = {}
        self.memory = {}
        self.others: List[float] = []

    def _cpu(self, program: Program) -> tuple:
        before = self.sims.counters()["pages"]
        seen = window([program.pid, self.sims.pid], self.seconds)
        self.others.append(seen.others)
        return seen.cpu[0], self.sims.counters()["pages"] - before

    def monitor(self, interval: str) -> tuple:
        with scraping_monitor(self.folder, self.sims.configured(), interval) as monitor:
            await_members(monitor, self.sims.clusters, self.sims.members)
            time.sleep(2.5 * INTERVAL)
            return self._cpu(monitor)

    def prometheus(self, name: str, keep: Optional[str]) -> tuple:
        with Prometheus(self.folder, self.sims.targets(), INTERVAL, keep) as program:
            program.await_scrapes()
            time.sleep(1.5 * INTERVAL)
            got = self._cpu(program)
            self.series[name] = program.series_a_target()
            self.memory[name] = program.memory()["VmRSS"]
            return got


def measure(quick: bool) -> Section:
    section = Section(
        "scraping", "CPU of a scrape, against Prometheus 2.42",
        f"{CLUSTERS * MEMBERS} simulated members (`sim_members`), each serving the page of a real etcd under load whose counters "
        f"go on, in chunks as etcd does; every {INTERVAL} s by the release binary, by Debian's Prometheus that keeps every series, "
        "and by one that drops all but the families that the monitor keeps. Whole processes in turn; CPU of a window after the "
        "warm-up, divided by the pages served in it. Ours has its pulse off and its health checks an hour apart, and the CPU of the "
        "same process with an hour between scrapes is taken off; what is left is fetch, parse, store, judge and publish. Prometheus "
        "gets no rules, and is spared gzip, which etcd would send it.", quick=quick)
    rounds, seconds = (2, 4) if quick else (5, 8)
    ours, everything, same, idle = [], [], [], []
    with scratch() as top, Sims(Path(top), CLUSTERS, MEMBERS) as sims:
        contest = Contest(Path(top), sims, seconds)
        for _ in range(rounds):
            rest, _ = contest.monitor("1h")
            idle.append(rest / seconds)
            cpu, pages = contest.monitor(f"{INTERVAL}s")
            ours.append((cpu - rest) / pages * 1e6)
            for name, keep, into in (("all", None, everything), ("same", KEPT_BY_US, same)):
                cpu, pages = contest.prometheus(name, keep)
                into.append(cpu / pages * 1e6)
    all_ratio, same_ratio = ratios(ours, everything), ratios(ours, same)
    section.row("CPU per scrape ÷ Prometheus keeping all series", "≤ 1/8", as_fraction(all_ratio), all_ratio.median <= 1 / 8)
    section.row("CPU per scrape ÷ Prometheus keeping the same", "≤ 1/6", as_fraction(same_ratio), same_ratio.median <= 1 / 6)
    section.table("CPU of a scrape", ["", "µs", "series a target", "RSS, MB"], [
        ["etcd-monitor", Spread(ours).text(3), "–", "–"],
        ["Prometheus, all series", Spread(everything).text(3), f"{contest.series['all']:.0f}", f"{contest.memory['all']:.0f}"],
        ["Prometheus, same families", Spread(same).text(3), f"{contest.series['same']:.0f}", f"{contest.memory['same']:.0f}"]])
    section.notes = [
        f"Of ours, taken off: {Spread(idle).text(2)} CPU seconds a second that this many members cost with everything but their "
        "being there switched off.",
        f"Other processes kept {Spread(contest.others).text(2)} cores busy during the windows."]
    return section


def as_fraction(spread: Spread) -> str:
    low, mid, high = (f"1/{1 / v:.1f}" if v > 0 else "0" for v in (min(spread.values), spread.median, max(spread.values)))
    return f"{mid} [{low}–{high}]"


# --- what it costs etcd --------------------------------------------------------------------------

COPIES = 50


def measure_cost_to_etcd(quick: bool) -> Section:
    section = Section(
        "cost_to_etcd", "What a scrape costs etcd",
        f"One real etcd with the counters of a load behind it, scraped by the real programs {COPIES} times a second: by a monitor "
        f"that is told of it as {COPIES} clusters, and by Prometheus with {COPIES} jobs. CPU of the etcd process, less what it used "
        "in the same round with nobody there, divided by the pages.", quick=quick)
    rounds, seconds = (2, 4) if quick else (5, 6)
    with scratch() as top:
        for version in etcds.versions():
            folder = Path(top) / version.minor
            folder.mkdir()
            with etcds.Cluster(version, folder, members=1) as cluster:
                load(cluster, folder, 3_000)
                ours, theirs = [], []
                for _ in range(rounds):
                    time.sleep(0.5)
                    rest = window(cluster.pids, seconds / 2).cpu[0] / (seconds / 2)
                    ours.append(cost(cluster, rest, seconds, scraping_monitor(folder, many(cluster), "1s")))
                    theirs.append(cost(cluster, rest, seconds, Prometheus(folder, [f"127.0.0.1:{cluster.ports['m1']}"], 1,
                                                                          copies=COPIES)))
            ratio = ratios(ours, theirs)
            section.row(f"cost of a scrape to etcd {version.minor} ÷ Prometheus's", "≤ 0.85", ratio.text(2), ratio.median <= 0.85)
            section.table(f"etcd {version.name}, microseconds a page", ["", "µs"],
                          [["etcd-monitor (identity)", Spread(ours).text(3)], ["Prometheus (gzip)", Spread(theirs).text(3)]])
    return section


def many(cluster: etcds.Cluster) -> List[dict]:
    return [{"name": f"copy{i}", "endpoints": [cluster.url("m1")]} for i in range(COPIES)]


def pages_served(cluster: etcds.Cluster) -> float:
    """By etcd's own count."""
    for line in cluster.page("m1").decode().splitlines():
        if line.startswith('promhttp_metric_handler_requests_total{code="200"}'):
            return float(line.rsplit(" ", 1)[1])
    raise ValueError("etcd does not count its pages")


def cost(cluster: etcds.Cluster, rest: float, seconds: float, scraper: Program) -> float:
    """Microseconds of etcd's CPU for a page; ends the scraper."""
    with scraper:
        time.sleep(4)
        before = pages_served(cluster)
        seen = window(cluster.pids, seconds)
        pages = pages_served(cluster) - before
    return (seen.cpu[0] - rest * seen.seconds) / pages * 1e6
