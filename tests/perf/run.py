#!/usr/bin/env python3
"""run.py [--quick] [NUMBER ...]: measures, prints each number against its goal, and writes docs/performance.md.

Without a NUMBER all are taken, in about 25 minutes. What was not taken now stands in the page as it was taken last
(build/perf holds it). The programs must be built: scripts/perf.sh does that first.
"""

import argparse
import sys
import time

from driver import alerting, calls, detection, fleet, parse, report, scraping, status_api
from driver.machine import Missing

NUMBERS = {
    "detection": (detection.measure, "how soon deaths, hangs and elections are seen; start-up"),
    "alerting": (alerting.measure, "from a member's death to the request at a webhook"),
    "fleet": (fleet.measure, "CPU and memory of watching a thousand simulated members; the API meanwhile"),
    "scraping": (scraping.measure, "CPU of a scrape, against Prometheus"),
    "cost_to_etcd": (scraping.measure_cost_to_etcd, "what a scrape costs etcd, against Prometheus"),
    "parse": (parse.measure, "reading a page, hot"),
    "calls": (calls.measure, "unary gRPC calls, against h2load"),
    "status_api": (status_api.measure, "CPU of a status request, against nginx"),
}


def main() -> int:
    listing = "\n".join(f"  {name:13} {about}" for name, (_, about) in {**NUMBERS, "report": (None, "only writes the page")}.items())
    parser = argparse.ArgumentParser(description=__doc__, epilog="numbers:\n" + listing,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="which to take; all when none is named")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, and nothing is written: whether it works, not what it is")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.numbers if name not in NUMBERS and name != "report"]
    if unknown:
        parser.error(f"no such number: {', '.join(unknown)}")

    failed = []
    for name in arguments.numbers or NUMBERS:
        if name == "report":
            continue
        print(f"{name}: {NUMBERS[name][1]}", flush=True)
        began = time.monotonic()
        try:
            section = NUMBERS[name][0](arguments.quick)
        except (Missing, OSError, TimeoutError) as error:
            print(f"  could not be taken: {error}", flush=True)
            failed.append(name)
            continue
        section.seconds = time.monotonic() - began
        if not arguments.quick:
            section.save()
    if not arguments.quick:
        report.write_page(list(NUMBERS))
    if failed:
        print(f"not taken: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
