"""What can be read in a plugin's files without importing them."""

from __future__ import annotations

import ast
import sys
import tokenize
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from attrs import Factory, define

from duct_tape.hookspecs import PREFIX
from duct_tape.lint.finding import Finding
from duct_tape.lint.subject import Subject, normalised

CORE = "duct-tape-core"
PUBLIC = ("duct_tape.api", "duct_tape.testing")
# A server that waits for somebody at its keyboard waits for ever.
_INTERACTIVE = ("breakpoint", "input")


@define(eq=False)
class Module(ast.NodeVisitor):
    """One file, read.

    :param hooks: functions at its top that are marked as hooks: line by name.
    :param imports: what is imported when the module is, by line: those that may fail are not among them.
    """

    file: str
    findings: list[Finding] = Factory(list)
    hooks: dict[str, int] = Factory(dict)
    imports: list[tuple[int, str]] = Factory(list)
    _depth: int = 0
    _optional: int = 0

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(node.lineno, alias.name, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names if node.level == 0 else ():
            # `from duct_tape import api` is the module as well.
            full = f"{module}.{alias.name}" if module == "duct_tape" and alias.name != "__version__" else module
            self._imported(node.lineno, module, full)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name.startswith(PREFIX) and not self._depth and any(map(_is_hookimpl, node.decorator_list)):
            self.hooks[node.name] = node.lineno
        self._inner(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inner(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        hooks = dict(self.hooks)
        self.generic_visit(node)
        # A method is no hook of the module; what a class's body imports is imported with it.
        self.hooks = hooks

    def visit_If(self, node: ast.If) -> None:
        if "__name__" in (test := ast.unparse(node.test)):
            return
        self._maybe(node) if "TYPE_CHECKING" in test else self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        caught = " ".join(ast.unparse(handler.type) if handler.type else "Exception" for handler in node.handlers)
        lenient = any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))
        self._maybe(node) if lenient else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        if name == "print" and not any(word.arg == "file" for word in node.keywords):
            self._find(
                "print", node.lineno, "a print was left in", "write `ctx.log.info(…)`; commands use `click.echo`"
            )
        elif name in _INTERACTIVE or name == "pdb.set_trace":
            self._find("print", node.lineno, f"`{name}` would hold up the server", "take it out")
        self.generic_visit(node)

    def _inner(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def _maybe(self, node: ast.AST) -> None:
        self._optional += 1
        self.generic_visit(node)
        self._optional -= 1

    def _imported(self, line: int, module: str, full: str) -> None:
        private = full.partition(".")[0] == "duct_tape" and not _under(full, PUBLIC) and "." in full
        if private:
            message = f"`{full}` is not part of the API and may change at any time"
            self._find("import-private", line, message, "import from `duct_tape.api`")
        if not self._depth and not self._optional:
            self.imports.append((line, module))

    def _find(self, rule: str, line: int, message: str, hint: str) -> None:
        self.findings.append(Finding(rule=rule, message=message, hint=hint, file=self.file, line=line))


def modules(subject: Subject) -> Iterator[Module]:
    """Every Python file of the packages; one that is no Python is read as far as that."""
    for _, path in subject.sources():
        if path.suffix == ".py":
            yield read(path, subject)


def read(path: Path, subject: Subject) -> Module:
    """One file."""
    module = Module(subject.shown(path))
    try:
        with tokenize.open(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read())
            module.visit(tree)
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
        text = error.msg if isinstance(error, SyntaxError) else str(error) or "it cannot be read"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        message = f"this is no Python {version}: {text}"
        module.findings.append(
            Finding(rule="syntax", message=message, hint="correct the line", file=module.file, line=line)
        )
        return module
    if _is_test(path):
        module.imports.clear()
        module.hooks.clear()
    return module


def undeclared(module: Module, subject: Subject, *, always: bool) -> Iterator[Finding]:
    """Imports at the top that nothing promises to be there on a server.

    :param always: whether the module is imported wherever the plugin is, so that what extras bring does not count.
    """
    promised = promises(subject) | (set() if always else set(subject.needed(extras=True)))
    for line, name in module.imports:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in subject.places or top == "duct_tape":
            continue
        owners = {normalised(owner) for owner in metadata.packages_distributions().get(top, ())}
        # What is not installed at all fails when it is imported, which says more.
        if owners and not owners & promised:
            owner = sorted(owners)[0]
            message = f"`{top}` is imported, and no dependency brings it: a server does not have it"
            hint = f"add `{owner}` to the dependencies, or import it where it is used"
            yield Finding(rule="import-undeclared", message=message, hint=hint, file=module.file, line=line)


def promises(subject: Subject) -> set[str]:
    """The distributions that are on every server with this one: what it names, and all that the core needs."""
    found = {normalised(subject.name), *subject.needed()}
    waiting = [CORE]
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        needed = Subject(distribution=distribution, places={}, files=None).needed()
        waiting += [other for other in needed if other not in found]
    return found


def elsewhere(read_modules: list[Module], called: set[tuple[str, str]]) -> Iterator[Finding]:
    """Hooks that nobody calls, since no entry point leads to them.

    :param called: file and name of those that are called.
    """
    for module in read_modules:
        for name, line in module.hooks.items():
            if (module.file, name) not in called:
                message = f"nobody calls `{name}`: no entry point leads to this module"
                hint = "import it into the module of the entry point"
                yield Finding(rule="hook-elsewhere", message=message, hint=hint, file=module.file, line=line)


def _under(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _is_hookimpl(node: ast.expr) -> bool:
    return ast.unparse(node).partition("(")[0].rpartition(".")[2] == "hookimpl"


def _is_test(path: Path) -> bool:
    return path.name.startswith(("test_", "conftest")) or "tests" in path.parts
