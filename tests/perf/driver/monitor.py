"""The product, as an operator runs it."""

import json
import time
from pathlib import Path
from typing import Dict, List, Sequence

from .machine import Http, Program, free_port, tool, wait_for


class Monitor(Program):
    def __init__(self, arguments: Sequence[str], folder: Path, read_stdout: bool = True, name: str = "monitor"):
        self.port = free_port()
        self.api = Http("127.0.0.1", self.port)
        argv = [tool("etcd-monitor"), "--api-host=127.0.0.1", f"--api-port={self.port}", *arguments]
        super().__init__(argv, Path(folder) / f"{name}.log", read_stdout=read_stdout)

    def status(self, cluster: str = "") -> Dict:
        return self.api.json("/api/v1/cluster/status" + (f"?cluster={cluster}" if cluster else ""))

    def members(self, cluster: str = "") -> Dict[str, Dict]:
        """By name."""
        page = self.api.json("/api/v1/cluster/members" + (f"?cluster={cluster}" if cluster else ""))
        return {member["name"]: member for member in page["members"]}

    def clusters(self) -> List[Dict]:
        page = self.api.json("/api/v1/clusters")
        return page["clusters"] if isinstance(page, dict) else page

    def await_whole(self, members: int, timeout: float = 30) -> None:
        """All reachable under one leader. Not "healthy": a member killed again and again is a crash loop, and stays one."""
        def whole() -> bool:
            reach = [m["reach"] for m in self.members().values()]
            return self.status()["has_leader"] and len(reach) == members and set(reach) == {"reachable"}
        wait_for(whole, timeout, "the monitor to see the whole cluster")

    def first_verdict(self, timeout: float = 5) -> float:
        """Seconds from the start of the process to the first answer that says healthy."""
        deadline = self.began + timeout
        while time.monotonic() < deadline:
            try:
                if self.status()["healthy"]:
                    return time.monotonic() - self.began
            except OSError:
                pass
            time.sleep(0.001)
        raise TimeoutError("no healthy verdict")


def config_file(path: Path, clusters: Sequence[Dict], **monitoring: str) -> str:
    """A configuration for many clusters; JSON is YAML."""
    document: Dict = {"clusters": list(clusters)}
    if monitoring:
        document["monitoring"] = monitoring
    path.write_text(json.dumps(document, indent=1))
    return str(path)
