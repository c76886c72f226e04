"""The status API against nginx that serves the same bytes from a file."""

import re
import time
from pathlib import Path

from . import etcds
from .machine import Http, Program, Spread, cpu_seconds, free_port, ratios, run, scratch, tool, wait_for
from .monitor import Monitor
from .report import Section

PATH = "/api/v1/cluster/status"

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  open_file_cache max=16;
  types {{ }}
  default_type application/json;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


class Nginx(Program):
    def __init__(self, folder: Path, body: bytes):
        folder = Path(folder)
        self.port = free_port()
        page = folder / "www" / PATH.lstrip("/")
        page.parent.mkdir(parents=True)
        page.write_bytes(body)
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=self.port) + ("user root;\n" if Path("/proc/self").owner() == "root" else ""))
        super().__init__([tool("nginx"), "-c", str(config), "-e", str(folder / "nginx-error.log")], folder / "nginx.log")
        wait_for(lambda: Http("127.0.0.1", self.port).get(PATH)[0] == 200, 10, "nginx")
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        self.worker = int(children[0])


def wrk(port: int, seconds: float, connections: int):
    done = run([tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", f"http://127.0.0.1:{port}{PATH}"])
    requests = int(re.search(r"(\d+) requests in", done.out).group(1))
    if "Non-2xx" in done.out or requests == 0:
        raise OSError(done.out)
    return requests, re.search(r"99%\s+(\S+)", done.out).group(1)


def measure(quick: bool) -> Section:
    section = Section(
        "status_api", "The status API, against nginx",
        "`wrk`, one thread, 32 kept connections, at `/api/v1/cluster/status` of a monitor that watches a real three-member cluster, "
        "and at nginx with one worker that serves the same bytes from a file (`sendfile`, `open_file_cache`, no access log). CPU of "
        "the serving process divided by the requests; the monitor's own watching goes on and is counted against it.", quick=quick)
    rounds, seconds = (2, 2) if quick else (7, 3)
    ours, theirs, our_rate, their_rate = [], [], [], []
    with scratch() as top:
        folder = Path(top)
        with etcds.Cluster(etcds.versions()[-1], folder) as cluster, \
                Monitor([f"--endpoints={cluster.urls}"], folder) as monitor:
            monitor.await_whole(3)
            time.sleep(2)
            body = monitor.api.get(PATH)[1]
            with Nginx(folder, body) as nginx:
                def one(port, pid, cpu, rate):
                    before = cpu_seconds(pid)
                    requests, _ = wrk(port, seconds, 32)
                    cpu.append((cpu_seconds(pid) - before) / requests * 1e6)
                    rate.append(requests / seconds)
                for i in range(rounds):
                    turns = [(monitor.port, monitor.pid, ours, our_rate), (nginx.port, nginx.worker, theirs, their_rate)]
                    for turn in (turns if i % 2 else turns[::-1]):
                        one(*turn)
    ratio = ratios(ours, theirs)
    section.row("CPU of a status request ÷ nginx", "≤ 1.5", ratio.text(2), ratio.median <= 1.5)
    section.table(f"A body of {len(body)} bytes", ["", "CPU, µs a request", "requests a second"], [
        ["etcd-monitor", Spread(ours).text(3), Spread(our_rate).text(3)],
        ["nginx", Spread(theirs).text(3), Spread(their_rate).text(3)]])
    return section
