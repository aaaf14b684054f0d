"""How Sphinx builds these pages: `scripts/docs`."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from duct_tape import __version__, api

project = "Duct Tape"
author = "the Duct Tape contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Duct Tape {__version__}"
html_static_path = ["_static"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_css_files = ["duct_tape.css"]

# "## Who owns what" can be linked to as #who-owns-what, as on GitHub.
myst_heading_anchors = 3
# The words "(c)", "--" and straight quotes are often code here.
smartquotes = False
# `console` blocks show prompts and output; what is neither must not be highlighted as an error.
highlight_language = "none"

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
add_module_names = False

# Every reference must lead somewhere, except to what other projects document.
nitpick_ignore_regex = [
    ("py:.*", r"(starlette|click|pluggy|logging|pathlib|collections|contextlib|typing|enum)\..*"),
    ("py:.*", r"(Any|Path|JSON|JSONObject|Variables|Callable|Awaitable|Mapping|Sequence|Iterable|Iterator)"),
    ("py:.*", r"(bool|bytes|dict|float|int|object|str|tuple|type|None|Exception|StrEnum|ValueError|OSError)"),
    ("py:.*", r"duct_tape\.(types|conf|triggers|payload|volume)\..*"),
    ("py:exc", "TemplateError"),  # a PermanentError, which is what plugins need to know
    ("py:.*", r"(optional|T|S|duct_tape\.api\.[ST]|duct_tape\.testing\.harness\.T)"),
    # What the test kit hands out, and authors have no need to name.
    ("py:.*", r"httpx2\..*|duct_tape\.retry\.Retry|duct_tape\.plugins\.instance\.Instance|ConfigurationError"),
]


def lead_to_the_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, child: nodes.Element
) -> nodes.Element | None:
    """Signatures name a class by the module that defines it; readers know it as a name of the API."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in api.__all__:
        return None
    domain: Any = env.get_domain("py")
    for kind in ("class", "func", "data"):
        found = domain.resolve_xref(
            env, node.get("refdoc", ""), app.builder, kind, f"duct_tape.api.{name}", node, child
        )
        if found is not None:
            return found  # type: ignore[no-any-return]
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("missing-reference", lead_to_the_public_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
