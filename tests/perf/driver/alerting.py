"""From the death of a member to the request at somebody's webhook."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import List, Optional

from . import etcds
from .machine import Spread, quantile, round_to, scratch
from .monitor import Monitor
from .report import Section

GOAL = 0.2
RULE = "QuorumAtRisk"


class Receiver:
    """A webhook that keeps when each message came; the clock is read once its body is there."""

    def __init__(self):
        self.messages: List[tuple] = []
        kept = self.messages

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802: http.server names it
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append((time.monotonic(), json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()

    def first(self, status: str, since: float, timeout: float) -> Optional[float]:
        deadline = since + timeout
        while time.monotonic() < deadline:
            for at, body in list(self.messages):
                alert = body["alerts"][0]
                if at >= since and body["status"] == status and alert["rule"] == RULE:
                    return at
            time.sleep(0.002)
        return None


def configuration(path: Path, cluster: etcds.Cluster, receiver: Receiver) -> str:
    """JSON is YAML. Each alert has its own message, as the fastest setting of the rivals has it."""
    path.write_text(json.dumps({
        "clusters": [{"name": "prod", "endpoints": cluster.urls.split(",")}],
        "storage": {"directory": str(path.parent / "state")},
        "alerts": {
            "rules": [{"name": RULE, "for": "0s", "keep_firing_for": "0s"}],
            "routing": {"group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "dedup_window": "0s"},
            "webhook": {"enabled": True, "url": receiver.url},
        },
    }))
    return str(path)


def trial(cluster: etcds.Cluster, monitor: Monitor, receiver: Receiver, name: str) -> Optional[float]:
    began = cluster.kill(name)
    told = receiver.first("firing", began, 15)
    cluster.start(name)
    cluster.await_healthy(name)
    monitor.await_whole(3)
    receiver.first("resolved", began, 15)
    # Long enough for a pulse and the reconnections to be over.
    time.sleep(1.2)
    return told and told - began


def measure(quick: bool) -> Section:
    section = Section(
        "alerting", "How soon somebody is told",
        "A real three-member cluster of each etcd version under the release binary with its default intervals, the rule "
        f"`{RULE}` with `for: 0s`, and a webhook; `state.db` on the disk of the machine. A trial reads the clock, kills "
        "a member with SIGKILL, and reads it again when the body of the request that tells of it has come.",
        quick=quick)
    rows = []
    found: List[float] = []
    missed = 0
    with scratch() as top, Receiver() as receiver:
        for version in etcds.versions():
            folder = Path(top) / version.minor
            folder.mkdir()
            with etcds.Cluster(version, folder) as cluster:
                arguments = ["--config=" + configuration(folder / "config.yaml", cluster, receiver)]
                with Monitor(arguments, folder) as monitor:
                    monitor.await_whole(3)
                    time.sleep(3)
                    times = [trial(cluster, monitor, receiver, cluster.names[i % 3]) for i in range(4 if quick else 20)]
            seen = [1000 * t for t in times if t is not None]
            missed += times.count(None)
            found += seen
            rows.append([f"etcd {version.minor}", str(len(times)), Spread(seen).text(3, "ms") if seen else "–"])
    measured = (f"p50 {round_to(quantile(found, 0.5), 3)} ms, p99 {round_to(quantile(found, 0.99), 3)} ms of {len(found)}"
                if found else "not told") + (f", {missed} not told" if missed else "")
    section.row("member killed → request at a webhook", "≤ 0.2 s p99", measured,
                bool(found) and not missed and quantile(found, 0.99) <= GOAL * 1000)
    section.table("Median [lowest–highest]", ["", "trials", "kill → webhook"], rows)
    return section
