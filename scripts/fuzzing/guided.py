"""One target in a process of its own, guided by which lines an input reaches.

    python -m fuzzing.guided TARGET SECONDS CORPUS FINDINGS

libFuzzer ends the process at the first finding, and keeps the input in the folder of findings.
"""

from __future__ import annotations

import sys

import atheris

INSTRUMENTED = [
    "duct_tape",
    "duct_tape_bitbucket",
    "duct_tape_gitea",
    "duct_tape_github",
    "duct_tape_gitlab",
    "duct_tape_registry",
    "duct_tape_touch_file",
    "fuzzing.targets",
]
# Short inputs find most; nothing of ours depends on size but by its caps, which have tests of their own.
LONGEST = 16 * 1024
MOST_MEMORY_MB = 1024


def main() -> None:
    name, seconds, corpus, findings = sys.argv[1:]
    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzzing.oracle import judge
        from fuzzing.targets import TARGETS
    target = TARGETS[name]
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-artifact_prefix={findings}/{name}-",
        "-timeout=10",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, corpus], lambda data: judge(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
