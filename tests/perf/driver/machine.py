"""Processes, what they cost, and figures with their spread."""

import ctypes
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "release"
BIN = BUILD / "bin"

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """Something to measure with is not installed or not built; the row says so."""


def tool(name: str) -> str:
    """The path of one of our own programs, or of an installed one."""
    own = BIN / name
    if own.exists():
        return str(own)
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]:
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise Missing(f"{name} is not here")


def scratch() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="perf-", ignore_cleanup_errors=True)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- what a process costs ------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far, with the scheduler's precision (CPUCLOCK_SCHED)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_mb(pid: int) -> Dict[str, float]:
    """VmRSS, RssAnon and VmHWM in 10^6 bytes."""
    out = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssAnon", "VmHWM"):
            out[name] = int(value.split()[0]) * 1024 / 1e6
    return out


def busy_seconds() -> float:
    """Of all cores together since boot, stolen time included."""
    fields = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Ran:
    code: int
    out: str
    err: str
    seconds: float
    cpu: float
    peak_mb: float


def run(argv: Sequence[str], timeout: float = 120) -> Ran:
    """Runs a whole process to its end: its CPU is what wait4 says."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=die_with_parent)
        watchdog = threading.Timer(timeout, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        watchdog.cancel()
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Ran(process.returncode, out.read().decode(errors="replace"), err.read().decode(errors="replace"), took,
                   usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


class Program:
    """A server: runs until stop(). Its output is stamped line by line as it comes."""

    def __init__(self, argv: Sequence[str], log: Path, read_stdout: bool = False, env: Optional[Dict[str, str]] = None):
        self.argv = list(argv)
        self.lines: List[Tuple[float, str]] = []
        self._arrived = threading.Condition()
        self._log = open(log, "ab")
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                        stdout=subprocess.PIPE if read_stdout else self._log, stderr=self._log,
                                        env={**os.environ, **(env or {})})
        self.pid = self.process.pid
        if read_stdout:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        fd = self.process.stdout.fileno()
        while True:
            piece = os.read(fd, 65536)
            now = time.monotonic()
            if not piece:
                return
            *whole, rest = (rest + piece).split(b"\n")
            with self._arrived:
                self.lines += [(now, line.decode(errors="replace")) for line in whole]
                self._arrived.notify_all()

    def wait_line(self, wanted: Callable[[str], bool], since: float, timeout: float) -> Optional[Tuple[float, str]]:
        """The first line after `since` that is wanted, with its moment; None when none came."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._arrived:
            while True:
                for at, line in self.lines[seen:]:
                    if at >= since and wanted(line):
                        return at, line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)

    def alive(self) -> bool:
        return self.process.poll() is None

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def memory(self) -> Dict[str, float]:
        return memory_mb(self.pid)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def stop(self) -> None:
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Http:
    """GET on one kept connection."""

    def __init__(self, host: str, port: int):
        self._address = (host, port)
        self._connection: Optional[http.client.HTTPConnection] = None

    def get(self, path: str) -> Tuple[int, bytes]:
        kept = self._connection is not None
        if not kept:
            self._connection = http.client.HTTPConnection(*self._address, timeout=5)
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # A kept connection may have been closed meanwhile for being idle.
            if kept:
                return self.get(path)
            raise OSError(f"GET {path}: {error!r}") from error

    def json(self, path: str):
        status, body = self.get(path)
        if status != 200:
            raise OSError(f"{path} answered {status}")
        return json.loads(body)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def wait_for(condition: Callable[[], bool], timeout: float, what: str, pause: float = 0.05) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if condition():
                return
        except (OSError, ValueError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}")
        time.sleep(pause)


@dataclass
class Window:
    """CPU over a stretch of time, and what the rest of the machine did meanwhile."""

    seconds: float
    cpu: List[float]  # of each process, in the order given
    others: float  # cores kept busy by anybody else


def window(pids: Sequence[int], seconds: float) -> Window:
    busy, began, before = busy_seconds(), time.monotonic(), [cpu_seconds(p) for p in pids]
    time.sleep(seconds)
    cpu = [cpu_seconds(p) - b for p, b in zip(pids, before)]
    took = time.monotonic() - began
    return Window(took, cpu, max(0.0, (busy_seconds() - busy - sum(cpu)) / took))


# --- figures -------------------------------------------------------------------------------------


@dataclass
class Spread:
    """Several measurements of one thing."""

    values: List[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, digits: int = 2, unit: str = "") -> str:
        unit = f" {unit}" if unit else ""
        low, mid, high = (round_to(v, digits) for v in (min(self.values), self.median, max(self.values)))
        return f"{mid}{unit} [{low}–{high}]"


def round_to(value: float, digits: int) -> str:
    """To so many significant digits, without an exponent."""
    if value == 0:
        return "0"
    places = digits - 1 - int(f"{value:e}".split("e")[1])
    return f"{round(value, places):.{max(0, places)}f}"


def quantile(values: Sequence[float], q: float) -> float:
    """The nearest rank: a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(q * 1000) * len(ordered) // 1000) - 1)]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Paired within a round."""
    return Spread([a / b for a, b in zip(ours, theirs)])
