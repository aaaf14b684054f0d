"""Fail when a file's branch coverage is below the percentage given; reads coverage's JSON report."""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Name every file that is below."""
    wanted = float(sys.argv[1])
    files = json.load(sys.stdin)["files"]
    below = {name: data["summary"]["percent_covered"] for name, data in files.items()}
    below = {name: percent for name, percent in below.items() if percent < wanted}
    for name, percent in sorted(below.items()):
        print(f"error: {name} has {percent:.0f} % of its branches covered; {wanted:.0f} % are wanted")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
