"""Real etcd clusters to watch and to load."""

import json
import os
import re
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from .machine import ROOT, Http, Missing, Program, free_port, run, wait_for


class Version:
    def __init__(self, folder: str):
        self.etcd = os.path.join(folder, "etcd")
        self.etcdctl = os.path.join(folder, "etcdctl")
        said = run([self.etcd, "--version"]).out
        self.name = re.search(r"etcd Version: (\S+)", said).group(1)

    @property
    def minor(self) -> str:
        return ".".join(self.name.split(".")[:2])


def versions() -> List[Version]:
    """The system's etcd, and 3.5 from where scripts/get-etcd-3.5.sh puts it."""
    found: Dict[str, Version] = {}
    folders = ["/usr/bin", os.path.dirname(os.environ.get("ETCDMON_ETCD_35", "")),
               str(ROOT / ".deps/etcd-3.5/usr/bin"), "/opt/etcd-3.5/usr/bin"]
    for folder in folders:
        if folder and os.access(os.path.join(folder, "etcd"), os.X_OK):
            version = Version(folder)
            found.setdefault(version.minor, version)
    if not found:
        raise Missing("no etcd is installed")
    return [found[minor] for minor in sorted(found)]


class Cluster:
    """Members m1, m2, … on free ports of 127.0.0.1, each an own process that may be killed and started again."""

    def __init__(self, version: Version, folder: Path, members: int = 3, tls: Optional[Dict[str, str]] = None,
                 flags: Sequence[str] = ()):
        self.version = version
        self.folder = Path(folder)
        self.tls = tls
        self.flags = list(flags)
        self.scheme = "https" if tls else "http"
        self.names = [f"m{i + 1}" for i in range(members)]
        self.ports = {name: free_port() for name in self.names}
        self._peer_ports = {name: free_port() for name in self.names}
        self.programs: Dict[str, Program] = {}

    def __enter__(self):
        for name in self.names:
            self.start(name)
        for name in self.names:
            self.await_healthy(name)
        return self

    def __exit__(self, *_):
        for program in self.programs.values():
            if program.alive():
                program.signal(signal.SIGCONT)
                program.process.kill()
            program.stop()

    def url(self, name: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.ports[name]}"

    @property
    def urls(self) -> str:
        return ",".join(self.url(name) for name in self.names)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str) -> None:
        peer = {n: f"http://127.0.0.1:{p}" for n, p in self._peer_ports.items()}
        argv = [self.version.etcd, "--name", name, "--data-dir", str(self.folder / name),
                "--listen-client-urls", self.url(name), "--advertise-client-urls", self.url(name),
                "--listen-peer-urls", peer[name], "--initial-advertise-peer-urls", peer[name],
                "--initial-cluster", ",".join(f"{n}={u}" for n, u in peer.items()),
                "--logger", "zap", "--log-outputs", "stderr", *self.flags]
        if self.tls:
            argv += ["--cert-file", self.tls["server_cert"], "--key-file", self.tls["server_key"]]
            # curl and h2load bring no certificate; /metrics is asked in plain text.
            argv += ["--listen-metrics-urls", f"http://127.0.0.1:{free_port()}"]
        self.programs[name] = Program(argv, self.log(name))

    def _http(self, name: str) -> Http:
        metrics = self.programs[name].argv
        if "--listen-metrics-urls" in metrics:
            return Http("127.0.0.1", int(metrics[metrics.index("--listen-metrics-urls") + 1].rsplit(":", 1)[1]))
        return Http("127.0.0.1", self.ports[name])

    def await_healthy(self, name: str, timeout: float = 30) -> None:
        def healthy() -> bool:
            return self._http(name).json("/health").get("health") in ("true", True)
        wait_for(healthy, timeout, f"{name} to be healthy")

    def page(self, name: str) -> bytes:
        return self._http(name).get("/metrics")[1]

    def leader(self) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for name in self.names:
                if not self.programs[name].alive():
                    continue
                try:
                    if b"\netcd_server_is_leader 1\n" in self.page(name):
                        return name
                except OSError:
                    pass
            time.sleep(0.05)
        raise TimeoutError("no member leads")

    def kill(self, *names: str) -> float:
        """The moment just before the signal left."""
        began = time.monotonic()
        for name in names:
            os.kill(self.programs[name].pid, signal.SIGKILL)
        for name in names:
            self.programs[name].process.wait()
        return began

    def ctl(self, *arguments: str) -> str:
        argv = [self.version.etcdctl, "--endpoints", self.urls, *arguments]
        if self.tls:
            argv += ["--cacert", self.tls["ca"]]
        done = run(["/usr/bin/env", "ETCDCTL_API=3", *argv])
        if done.code != 0:
            raise OSError(f"etcdctl {' '.join(arguments)}: {done.err.strip()}")
        return done.out

    def member_id(self, name: str) -> str:
        for member in json.loads(self.ctl("member", "list", "-w", "json"))["members"]:
            if member["name"] == name:
                return format(member["ID"], "x")
        raise KeyError(name)

    def became_leader(self, name: str) -> Optional[float]:
        """When this member last wrote that it leads, on the monotonic clock; to the millisecond."""
        found = None
        for line in self.log(name).read_text(errors="replace").splitlines():
            if "became leader at term" in line:
                stamp = re.search(r'"ts":"([^"]+)"', line)
                if stamp:
                    found = datetime.fromisoformat(stamp.group(1).replace("Z", "+00:00")).timestamp()
        return None if found is None else found - (time.time() - time.monotonic())

    def settle(self) -> None:
        """etcd 3.4 reads at twice the price after many writes, until two commits pass without one."""
        for _ in range(3):
            self.ctl("lease", "grant", "60")
            time.sleep(0.3)

    def cpu(self) -> float:
        return sum(program.cpu() for program in self.programs.values() if program.alive())

    @property
    def pids(self) -> List[int]:
        return [program.pid for program in self.programs.values()]
