"""Reading a /metrics page, hot."""

from .machine import Spread, run, tool
from .report import Section


def measure(quick: bool) -> Section:
    section = Section(
        "parse", "Reading a `/metrics` page",
        "`parse_perf`: real pages whose values change from page to page and whose lines stay the same, all series that rules and API "
        "need (*full*) or the core of them, read by the remembered layout (hot) and by the full pass (first); each figure is the "
        "best of its run, the cells are over the runs.", quick=quick)
    runs = 2 if quick else 7
    found = {}
    for _ in range(runs):
        seen = {}
        for line in run([tool("parse_perf")]).out.splitlines()[1:]:
            version, size, series, hot, first, _ = line.split()
            entry = found.setdefault((version, int(size), int(series)), ([], []))
            entry[0].append(float(hot))
            entry[1].append(float(first))
            seen[version] = True
    # The goal is set for 150 KB with about 860 series, so for the page of 3.4.
    key = max(k for k in found if k[0] == "3.4.23")
    hot = Spread(found[key][0])
    section.row(f"parse {key[1] // 1000} KB, {key[2]} series, hot", "≤ 25 µs", hot.text(3, "µs"), hot.median <= 25)
    section.table("Microseconds a page", ["etcd", "bytes", "series", "hot", "first"],
                  [[v, str(size), str(series), Spread(h).text(3), Spread(f).text(3)]
                   for (v, size, series), (h, f) in found.items()])
    return section
