"""A YAML file that remembers where everything stands, so that each mistake can be shown its line and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from monitor.errors import ConfigError
from monitor.settings import format_duration

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails
    from ruamel.yaml.error import MarkedYAMLError


_PYTHONS = re.compile(r"datetime\.timedelta\((days|seconds)=(\d+)\)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place, given as the keys and indexes that lead there."""

    place: tuple[str | int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file: ``data`` keeps ruamel's line and column marks."""

    path: Path
    data: Any

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and parse. Raises ConfigError when the file is missing, empty, no YAML, or has a key twice."""
        from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and `monitor --help` needs no YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - as above

        try:
            data = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"there is no {path}; `monitor init` writes one to start from") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        except MarkedYAMLError as error:
            raise ConfigError(_syntax(path, error)) from None
        except YAMLError as error:
            raise ConfigError(f"{path}: {error}") from None
        except RecursionError:
            raise ConfigError(f"{path}: nested too deeply to be read") from None
        if not isinstance(data, dict):
            raise ConfigError(f"{path}:1:1: expected a list of `feeds:`; `monitor init` writes a file to start from")
        return cls(path, data)

    def explain_all(self, error: "ValidationError", known: set[str]) -> Iterator[str]:
        """Put pydantic's errors into lines for the user, in the order of the file."""
        problems = [Problem(tuple(detail["loc"]), _message(detail, known)) for detail in error.errors()]
        for problem in sorted(problems, key=lambda problem: self._position(self._steps(problem.place))):
            yield self.explain(problem)

    def explain(self, problem: Problem) -> str:
        """Put a problem into one line: file:line:column: place: message."""
        steps = self._steps(problem.place)
        line, column = self._position(steps)
        return f"{self.path}:{line}:{column}: {'.'.join(map(str, steps))}: {problem.message}"

    def _steps(self, place: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Leave out what pydantic adds to a place that is not in the file (the kind of a channel or rule)."""
        node, steps = self.data, []
        for index, step in enumerate(place):
            last = index == len(place) - 1
            if _has(node, step):
                node = node[step]
                steps.append(step)
            elif last and not _is_kind_of(node, step):
                steps.append(step)
        return tuple(steps)

    def _position(self, steps: tuple[str | int, ...]) -> tuple[int, int]:
        """Return line and column, both from 1, of the deepest step that is in the file."""
        node, position = self.data, (0, 0)
        for step in steps:
            if not _has(node, step):
                break
            position = _mark(node, step) or position
            node = node[step]
        return position[0] + 1, position[1] + 1


def _mark(node: Any, step: str | int) -> tuple[int, int] | None:
    """Return ruamel's line and column of a key or item; None where it keeps none (what a YAML merge brings in)."""
    is_list = isinstance(node, list)
    try:
        mark: tuple[int, int] = (node.lc.item if is_list else node.lc.key)(step)
    except (AttributeError, KeyError, TypeError):
        return None
    return mark


def _has(node: Any, step: str | int) -> bool:
    if isinstance(node, dict):
        return step in node
    return isinstance(node, list) and isinstance(step, int) and step < len(node)


def _is_kind_of(node: Any, step: str | int) -> bool:
    return isinstance(node, dict) and step in (node.get("type"), node.get("rule"))


def _message(detail: "ErrorDetails", known: set[str]) -> str:
    if detail["type"] == "extra_forbidden":
        close = get_close_matches(str(detail["loc"][-1]), known, 1)
        return (
            f"unknown key; did you mean {close[0]!r}?" if close else "unknown key; docs/configuration.md lists them all"
        )
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return _wrong_kind(detail)
    told = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
    # Of a duration that may be left out, pydantic writes Python's words.
    return _PYTHONS.sub(lambda found: format_duration(timedelta(**{found[1]: int(found[2])})), told)


def _wrong_kind(detail: "ErrorDetails") -> str:
    context = detail.get("ctx", {})
    field = str(context.get("discriminator", "type")).strip("'")
    expected = context.get("expected_tags", "one of those in docs/configuration.md")
    return f"needs `{field}:` to be {expected}"


def _syntax(path: Path, error: "MarkedYAMLError") -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = (error.problem or error.context or "not valid YAML").split("\n")[0]
    return f"{where}: {problem}; check the indentation and quotes there"
