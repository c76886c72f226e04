"""Simulated members, and the real page that they serve."""

import time
from pathlib import Path
from typing import Dict, List, Optional

from . import etcds
from .machine import Http, Program, run, scratch, tool
from .report import KEPT

PORT = 2379


def grpc_body(folder: Path, name: str, message: bytes) -> str:
    """A file with one message and gRPC's prefix, for h2load."""
    path = Path(folder) / name
    path.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    return str(path)


def h2load(url: str, method: str, body: str, calls: int, connections: int, streams: int):
    return run([tool("h2load"), "-n", str(calls), "-c", str(connections), "-m", str(streams), "-t", "1", "-d", body,
                "-H", "content-type: application/grpc", "-H", "te: trailers", f"{url}/etcdserverpb.{method}"])


PUT = b"\x0a\x08somekey1\x12\x80\x02" + b"v" * 256
RANGE = b"\x0a\x03foo"


def load(cluster: etcds.Cluster, folder: Path, calls: int) -> None:
    """What applications do: writes, reads of both kinds, leases, transactions, a watch."""
    url = cluster.url(cluster.leader())
    put = grpc_body(folder, "put.bin", PUT)
    read = grpc_body(folder, "range.bin", RANGE)
    serializable = grpc_body(folder, "serializable.bin", RANGE + b"\x38\x01")
    for _ in range(3):
        h2load(url, "KV/Put", put, calls, 8, 4)
        h2load(url, "KV/Range", read, calls, 8, 4)
        h2load(url, "KV/Range", serializable, calls, 8, 4)
        cluster.ctl("lease", "grant", "60")
        cluster.ctl("del", "somekey1")


def loaded_page() -> str:
    """/metrics of the leader of a real loaded cluster, taken once and kept in build/perf."""
    path = KEPT / "page.txt"
    if path.exists():
        return str(path)
    KEPT.mkdir(parents=True, exist_ok=True)
    print("  taking a page from a real cluster under load", flush=True)
    with scratch() as folder, etcds.Cluster(etcds.versions()[-1], Path(folder)) as cluster:
        load(cluster, Path(folder), 10_000)
        time.sleep(35)  # the round-trip histograms of the peers are filled every 30 s
        path.write_bytes(cluster.page(cluster.leader()))
    return str(path)


class Sims(Program):
    """Clusters of simulated members; member M of cluster C is 127.20.C.M, port 2379."""

    def __init__(self, folder: Path, clusters: int, members: int = 5, time_scale: float = 1,
                 tls: Optional[Dict[str, str]] = None):
        self.clusters, self.members = clusters, members
        self.scheme = "https" if tls else "http"
        argv = [tool("sim_members"), f"--page={loaded_page()}", f"--clusters={clusters}", f"--members={members}",
                f"--time-scale={time_scale}", f"--port={PORT}"]
        if tls:
            argv += [f"--cert={tls['server_cert']}", f"--key={tls['server_key']}", f"--client-ca={tls['ca']}"]
        super().__init__(argv, Path(folder) / "sims.log", read_stdout=True)
        if not self.wait_line(lambda line: line == "ready", self.began, 10):
            raise OSError("sim_members did not start: " + (Path(folder) / "sims.log").read_text())
        self._http = None if tls else Http("127.20.1.1", PORT)

    def counters(self) -> Dict[str, int]:
        """Pages, calls and connections served so far; in plain text only."""
        return self._http.json("/counters")

    def configured(self, tls: Optional[Dict[str, str]] = None) -> List[Dict]:
        """For the monitor: each cluster by one endpoint."""
        out = []
        for c in range(1, self.clusters + 1):
            cluster: Dict = {"name": f"c{c}", "endpoints": [f"{self.scheme}://127.20.{c}.1:{PORT}"]}
            if tls:
                cluster["tls"] = {"ca_file": tls["ca"], "cert_file": tls["client_cert"], "key_file": tls["client_key"],
                                  "server_name": "sim.test"}
            out.append(cluster)
        return out

    def targets(self) -> List[str]:
        return [f"127.20.{c}.{m}:{PORT}" for c in range(1, self.clusters + 1) for m in range(1, self.members + 1)]
