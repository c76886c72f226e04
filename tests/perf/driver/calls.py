"""Unary gRPC calls through our coroutines, against h2load."""

import json
from pathlib import Path
from typing import Callable, Dict, List

from . import etcds
from .machine import Program, Spread, free_port, ratios, run, scratch, tool
from .report import Section
from .sims import RANGE, grpc_body, h2load

CONNECTIONS, STREAMS = 8, 16


class Duel:
    """The two clients in turn on one server: CPU of whole processes, rate as they saw it themselves."""

    def __init__(self, folder: Path, url: str, calls: int, server_cpu: Callable[[], float]):
        self.url, self.calls, self.server_cpu = url, calls, server_cpu
        self.body = grpc_body(folder, "range.bin", RANGE)
        self.cpu: Dict[str, List[float]] = {"rpc": [], "h2load": []}
        self.rate: Dict[str, List[float]] = {"rpc": [], "h2load": []}
        self.server: Dict[str, List[float]] = {"rpc": [], "h2load": []}

    def _note(self, who: str, done, rate: float, before: float) -> None:
        self.cpu[who].append(done.cpu / self.calls * 1e6)
        self.rate[who].append(rate)
        self.server[who].append((self.server_cpu() - before) / self.calls * 1e6)

    def rpc(self) -> None:
        argv = [tool("rpc_perf"), self.url, "-c", str(CONNECTIONS), "-m", str(STREAMS), "-n", str(self.calls)]
        before = self.server_cpu()
        done = run(argv)
        if done.code != 0:
            raise OSError(f"rpc_perf: {done.out}{done.err}")
        self._note("rpc", done, json.loads(done.out)["calls_per_second"], before)

    def h2load(self) -> None:
        before = self.server_cpu()
        done = h2load(self.url, "KV/Range", self.body, self.calls, CONNECTIONS, STREAMS)
        if f"{self.calls} succeeded" not in done.out:
            raise OSError(f"h2load: {done.out}{done.err}")
        rate = next(line for line in done.out.splitlines() if line.startswith("finished in"))
        self._note("h2load", done, float(rate.split(", ")[1].split()[0]), before)

    def round(self, number: int) -> None:
        # Who begins changes from round to round.
        for one in ((self.rpc, self.h2load) if number % 2 else (self.h2load, self.rpc)):
            one()

    def table_rows(self, label: str) -> List[List[str]]:
        return [[label, who, Spread(self.cpu[who]).text(3), Spread(self.rate[who]).text(3), Spread(self.server[who]).text(3)]
                for who in ("rpc", "h2load")]


def measure(quick: bool) -> Section:
    section = Section(
        "calls", "Unary calls through `rpc/`, against h2load",
        f"Linearizable Range of one key, {CONNECTIONS} connections × {STREAMS} calls in flight, one thread. `rpc_perf` awaits every "
        "call in a coroutine, with its deadline, and reads its gRPC status; h2load looks at neither. In plain text. Whole processes in turn on the "
        "same server; etcd 3.4 is settled before each round (three leases, 300 ms apart), since it reads at twice the price after "
        "writes. The null server answers from memory and does nothing.", quick=quick)
    rounds, calls = (2, 20_000) if quick else (7, 100_000)
    rows = []
    with scratch() as top:
        folder = Path(top)
        for version in etcds.versions():
            label = f"etcd {version.minor}"
            place = folder / version.minor
            place.mkdir()
            with etcds.Cluster(version, place, members=1) as cluster:
                duel = Duel(place, cluster.url("m1"), calls // 2, cluster.cpu)
                cluster.ctl("put", "foo", "bar")
                for i in range(rounds):
                    cluster.settle()
                    duel.round(i)
            ratio = ratios(duel.cpu["rpc"], duel.cpu["h2load"])
            section.row(f"client CPU of a call ÷ h2load, {label}", "≤ 1.0", ratio.text(2), ratio.median <= 1)
            rows += duel.table_rows(label)
        port = free_port()
        with Program([tool("null_grpc_server"), str(port)], folder / "null.log") as server:
            duel = Duel(folder, f"http://127.0.0.1:{port}", calls * 5, server.cpu)
            run([tool("rpc_perf"), duel.url, "-n", "1000"])
            for i in range(rounds):
                duel.round(i)
        ratio = ratios(duel.rate["rpc"], duel.rate["h2load"])
        section.row("calls a second on one thread ÷ h2load, null server", "≥ 1.2", ratio.text(2), ratio.median >= 1.2)
        rows += duel.table_rows("null server")
    section.table("Each client", ["server", "client", "client CPU, µs a call", "calls a second", "server CPU, µs a call"], rows)
    return section
