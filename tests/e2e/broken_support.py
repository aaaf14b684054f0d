"""Distributions that are broken, one in each way, as an installer leaves them behind."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

from attrs import frozen

HEAD = """
import asyncio
import contextlib
import time
import warnings
from attrs import field, frozen
from starlette.routing import Route
from duct_tape.api import Action, Check, PluginError, Problem, hookimpl
DUCT_TAPE_API = (1, 0)
HANG = 600
"""
SECONDS = 1.0
HANGS = f"it did not end within {SECONDS:g} seconds"
BLOCKS = f"it kept the event loop to itself for {SECONDS:g} seconds"


@frozen
class Broken:
    """One plugin.

    :param error: stage and cause of its being off, where it is.
    :param failure: hook and cause of a failure that it survives.
    :param red: what its check says, where it is on.
    :param checked: what `duct-tape check` says of it, where it is on.
    """

    name: str
    source: str
    error: str = ""
    failure: str = ""
    red: str = ""
    checked: str = ""

    def install(self, site: Path) -> None:
        """Write the module, unless it is gone, and the metadata."""
        module = self.name.replace("-", "_")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {self.name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[duct_tape.plugins]\n{self.name} = {module}\n")
        if self.source:
            (site / f"{module}.py").write_text(self.source)

    @property
    def line(self) -> str:
        """The line in the log of a plugin that is off."""
        return f"plugin {self.name} ({self.name} 1.0) is off: {self.error}"


def hook(name: str, body: str, arguments: str = "ctx", kind: str = "def", mark: str = "@hookimpl") -> str:
    """A plugin with one hook."""
    return f"{HEAD}{mark}\n{kind} ducttape_{name}({arguments}):\n{indent(dedent(body), '    ')}\n"


def lifespan(body: str) -> str:
    """A plugin with a lifespan."""
    return hook("lifespan", body, kind="async def", mark="@hookimpl\n@contextlib.asynccontextmanager")


BROKEN = [
    # ... while it is imported
    Broken("import-missing", "import nowhere", "import: ModuleNotFoundError: No module named 'nowhere'"),
    Broken("import-gone", "", "import: ModuleNotFoundError: No module named 'import_gone'"),
    Broken("import-syntax", "x = (", "import: SyntaxError: '(' was never closed (import_syntax.py, line 1)"),
    Broken("import-exits", "raise SystemExit(3)", "import: SystemExit: 3"),
    Broken("import-interrupts", "raise KeyboardInterrupt", "import: KeyboardInterrupt"),
    Broken("import-hangs", "import time; time.sleep(600)", f"import: {HANGS}"),
    Broken(
        "import-newer",
        "from duct_tape.api import poll\nDUCT_TAPE_API = (1, 9)",
        "import: cannot import name 'poll' from 'duct_tape.api', and this Duct Tape offers 1.0; "
        "upgrade duct-tape-core or the plugin",
    ),
    Broken("import-recursion", "def f(): f()\nf()", "import: RecursionError: maximum recursion depth exceeded"),
    # ... while it is registered
    Broken(
        "api-missing", "", "register: it does not say for which API it was written; add DUCT_TAPE_API = (1, 0)"
    ),
    Broken(
        "api-malformed",
        "DUCT_TAPE_API = '1.0'",
        "register: its DUCT_TAPE_API is no pair of numbers; write DUCT_TAPE_API = (1, 0)",
    ),
    Broken(
        "api-two",
        "DUCT_TAPE_API = (2, 0)",
        "register: it was written for API 2.0, and this Duct Tape offers 1.0; upgrade duct-tape-core",
    ),
    Broken(
        "wrong-argument",
        hook("setup", "pass", "context"),
        "register: Plugin 'wrong-argument' for hook 'ducttape_setup': Argument(s) {'context'} are declared in the "
        "hookimpl but can not be found in the hookspec",
    ),
    Broken(
        "wrong-name",
        hook("setpu", "pass"),
        "register: there is no hook `ducttape_setpu`; did you mean `ducttape_setup`?",
    ),
    Broken(
        "wrong-kind", hook("on_run", "pass", "ctx, run"), "register: `ducttape_on_run` must be async"
    ),
    Broken(
        "unmarked", hook("setup", "pass", mark=""), "register: `ducttape_setup` is not marked with @hookimpl"
    ),
    # ... by a hook that raises
    Broken("raises-class", hook("config_class", "1 / 0", ""), "config_class: ZeroDivisionError: division by zero"),
    Broken("raises-setup", hook("setup", "raise PluginError('no folder')"), "setup: no folder"),
    Broken("raises-actions", hook("actions", "raise SystemExit"), "actions: SystemExit"),
    Broken("raises-routes", hook("routes", "return open('/nowhere')"), "routes: FileNotFoundError: [Errno 2] No such "
           "file or directory: '/nowhere'"),
    Broken("raises-lifespan", lifespan("raise KeyboardInterrupt\nyield"), "lifespan: KeyboardInterrupt"),
    Broken(
        "raises-in-a-task",
        "async def exits():\n    raise SystemExit(4)\n"
        + lifespan("async with asyncio.TaskGroup() as group:\n    group.create_task(exits())\n    yield"),
        "lifespan: SystemExit: 4",
    ),
    # ... by a hook that hangs
    Broken("hangs-class", hook("config_class", "time.sleep(HANG)", ""), f"config_class: {HANGS}"),
    Broken("hangs-setup", hook("setup", "while True: pass"), f"setup: {HANGS}"),
    Broken("hangs-actions", hook("actions", "time.sleep(HANG)"), f"actions: {HANGS}"),
    Broken("hangs-routes", hook("routes", "time.sleep(HANG)"), f"routes: {HANGS}"),
    Broken("hangs-before-lifespan", hook("lifespan", "time.sleep(HANG)"), f"lifespan: {HANGS}"),
    Broken("hangs-in-lifespan", lifespan("await asyncio.sleep(HANG)\nyield"), f"lifespan: {HANGS}"),
    Broken("blocks-in-lifespan", lifespan("time.sleep(HANG)\nyield"), f"lifespan: {BLOCKS}"),
    # ... by a hook that returns what it must not
    Broken(
        "returns-class",
        hook("config_class", "return dict", ""),
        "config_class: ducttape_config_class must return an attrs class",
    ),
    Broken("returns-setup", hook("setup", "yield"), "setup: ducttape_setup must return nothing, and not generator"),
    Broken(
        "returns-actions",
        hook("actions", "return [1]"),
        "actions: ducttape_actions must return a mapping of name to Action",
    ),
    Broken("returns-routes", hook("routes", "return ['/']"), "routes: str is not a starlette Route"),
    Broken(
        "returns-lifespan",
        hook("lifespan", "yield", kind="async def"),
        "lifespan: ducttape_lifespan must return an asynchronous context manager, and not async_generator; mark it "
        "with @asynccontextmanager below @hookimpl",
    ),
    # ... by taking what is another's, or its own twice
    Broken(
        "takes-action",
        "from attrs import frozen\n@frozen\nclass Settings: pass\n"
        + hook("actions", "return {'touch-file': Action(settings=Settings, perform=None, preview=None)}"),
        "actions: the action `touch-file` is already offered by plugin touch-file (duct-tape-plugins 1.0.0)",
    ),
    Broken(
        "takes-route",
        hook("routes", "return [Route('/x', print), Route('/x', print)]"),
        "routes: two routes answer GET /x",
    ),
    # ... while the server runs
    Broken(
        "raises-on-run",
        hook("on_run", "raise SystemExit(5)", "ctx, run", "async def"),
        failure="on_run: SystemExit: 5",
    ),
    Broken(
        "hangs-on-run",
        hook("on_run", "await asyncio.sleep(HANG)", "ctx, run", "async def"),
        failure=f"on_run: {HANGS}",
    ),
    Broken(
        "blocks-on-run", hook("on_run", "time.sleep(HANG)", "ctx, run", "async def"), failure=f"on_run: {BLOCKS}"
    ),
    Broken("raises-health", hook("health", "1 / 0"), red="ZeroDivisionError: division by zero"),
    Broken("hangs-health", hook("health", "time.sleep(HANG)"), red=HANGS),
    Broken("returns-health", hook("health", "return ['green']"), red="ducttape_health must return Checks"),
    Broken(
        "raises-check",
        hook("check", "raise KeyboardInterrupt"),
        checked="the plugin's own check failed: KeyboardInterrupt",
    ),
    Broken("hangs-check", hook("check", "time.sleep(HANG)"), checked=f"the plugin's own check failed: {HANGS}"),
    Broken(
        "returns-check",
        hook("check", "return ['wrong']"),
        checked="the plugin's own check returned something else than problems",
    ),
    Broken(
        "raises-commands",
        hook("commands", "1 / 0"),
        checked="the plugin failed to offer its commands: ZeroDivisionError: division by zero",
    ),
    Broken(
        "returns-commands",
        hook("commands", "return 3"),
        checked="the plugin failed to offer its commands: ducttape_commands must return click commands",
    ),
]  # fmt: skip
