#!/usr/bin/env python3
"""Prints addresses of signed documents of a running demo: both actors, and what their outboxes carry.

    python3 tests/peers/addresses.py DEMO_OUTPUT DEMO_PID

DEMO_OUTPUT is where `passerelle demo --json` writes; the addresses are there once its story is told.
Exit code 1: the demo ended, or told no address in time, or an outbox is empty.
"""

import json
import os
import pathlib
import sys
import time

from verify import localhost_is_here, read

PATIENCE_SECONDS = 240


def cities(output, pid):
    """The address of each city, once both are told."""
    for _ in range(PATIENCE_SECONDS * 2):
        lines = [json.loads(line) for line in pathlib.Path(output).read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        found = [line["url"] for line in lines if "city" in line]
        if len(found) == 2:
            return found
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            sys.exit("the demo ended before it told where its cities are")
        time.sleep(0.5)
    sys.exit("the demo did not tell where its cities are")


def carried(outbox):
    """The ids of the objects in a paged outbox; what was deleted is named there, too."""
    page = read(outbox).get("first")
    while page:
        page = read(page) if isinstance(page, str) else page
        for activity in page.get("orderedItems", []):
            thing = activity.get("object") if isinstance(activity, dict) else None
            yield thing["id"] if isinstance(thing, dict) else thing
        page = page.get("next")


def main():
    localhost_is_here()
    for city in cities(sys.argv[1], int(sys.argv[2])):
        actor = read(f"{city}actor")
        ids = sorted({address for address in carried(actor["outbox"]) if address})
        if not ids:
            sys.exit(f"the outbox of {actor['id']} is empty")
        print(actor["id"], *ids, sep="\n")


if __name__ == "__main__":
    main()
