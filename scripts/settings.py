"""What scripts/serve needs of the configuration: the folder for flags and the server's address, one per line.

A taken address is an error here already: the demo must not take another server on it for its own. What is wrong in
the configuration is left to `duct-tape serve` to explain.
"""

from __future__ import annotations

import sys

from duct_tape.assembly import local_url
from duct_tape.conf.load import load
from duct_tape.conf.sources import read
from duct_tape.errors import DuctTapeError
from duct_tape.web.listening import listening


def main() -> None:
    configuration, problems = load(read(None))
    core = configuration.core
    if not problems:
        for item in listening(core.server.bind, "server.bind"):
            item.close()
    print(core.volume.path, local_url(core.server.bind), sep="\n")


if __name__ == "__main__":
    try:
        main()
    except DuctTapeError as error:
        sys.exit(f"error: {error}")
