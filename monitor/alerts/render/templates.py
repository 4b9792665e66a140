"""Fills the templates of this folder. HTML is escaped by the engine; a name that a template misspells is an error."""

from functools import lru_cache
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from monitor.alerts.render.content import Content, commands
from monitor.alerts.render.grids import Grid, aligned

if TYPE_CHECKING:
    from jinja2 import Environment

_TEXT_WIDTH = 76


def render(template: str, content: Content) -> str:
    """Return the template of that file name, filled with ``content``."""
    return _environment().get_template(template).render(content=content)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - keeps `monitor --help` fast

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html.j2"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"wrapped": _wrapped, "aligned": _aligned, "commands": commands}
    return environment


def _wrapped(text: str, indent: int = 0) -> str:
    """Break a line into lines of 76 characters; those after the first are indented. No word or link is cut."""
    return fill(
        text, _TEXT_WIDTH - indent, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _aligned(grid: Grid) -> list[str]:
    return aligned(grid, _TEXT_WIDTH)
