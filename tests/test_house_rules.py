"""The rules of the house, as docs/architecture.md gives them."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(str(path.relative_to(ROOT)) for room in ("monitor", "storage") for path in (ROOT / room).rglob("*.py"))

PURE = (
    "monitor/feeds/due.py",
    "monitor/feeds/reach.py",
    "monitor/feeds/slices.py",
    "monitor/feeds/hints.py",
    "monitor/feeds/domains.py",
    "monitor/feeds/target.py",
    "monitor/feeds/response.py",
    "monitor/feeds/answers.py",
    "monitor/feeds/pace.py",
    "monitor/feeds/wishes.py",
    "monitor/feeds/standing.py",
    "monitor/feeds/moves.py",
    "monitor/feeds/fresh.py",
    "monitor/feeds/links.py",
    "monitor/feeds/dates.py",
    "monitor/feeds/clean.py",
    "monitor/feeds/addresses.py",
    "monitor/signals/text.py",
    "monitor/signals/tags.py",
    "monitor/signals/reading.py",
    "monitor/signals/words.py",
    "monitor/signals/stopwords.py",
    "monitor/signals/heads.py",
    "monitor/signals/odds.py",
    "monitor/signals/explanation.py",
    "monitor/signals/label_choice.py",
    "monitor/signals/evaluation.py",
    "monitor/signals/logistic.py",
    "monitor/signals/learning.py",
    "monitor/signals/telling_apart.py",
    "monitor/feeds/opml.py",
    "monitor/feeds/discovery.py",
    "monitor/cli/feeds_words.py",
    "monitor/cli/statements.py",
    "monitor/trends.py",
    "monitor/detection/flow.py",
    "monitor/detection/baseline.py",
    "monitor/detection/belief.py",
    "monitor/detection/chance.py",
    "monitor/detection/looks.py",
    "monitor/judging.py",
    "monitor/past/archive.py",
    "monitor/past/known_world.py",
    "monitor/past/flows.py",
    "monitor/past/retold.py",
    "monitor/past/new_then.py",
    "monitor/past/replay.py",
    "monitor/past/keeping_to.py",
    "monitor/stories/grouping.py",
    "monitor/stories/likeness.py",
    "monitor/stories/linkage.py",
    "monitor/stories/neighbours.py",
    "monitor/stories/names.py",
    "monitor/stories/amounts.py",
    "monitor/stories/titles.py",
    "monitor/stories/common_words.py",
    "monitor/stories/weights.py",
    "storage/past_records.py",
    "monitor/websub/settings.py",
    "monitor/websub/protocol.py",
    "monitor/websub/schedule.py",
    "monitor/websub/limits.py",
    "monitor/alerts/retry.py",
    "monitor/alerts/wording.py",
    "monitor/alerts/quiet.py",
    "monitor/alerts/attention.py",
    "monitor/alerts/summaries.py",
    "monitor/alerts/undelivered.py",
    "monitor/alerts/channels/event.py",
    "monitor/alerts/trial.py",
    "monitor/alerts/render/identity.py",
    "monitor/alerts/render/content.py",
    "monitor/alerts/render/strips.py",
    "monitor/alerts/render/groups.py",
    "monitor/alerts/render/grids.py",
    "monitor/alerts/render/room.py",
    "monitor/alerts/render/mrkdwn.py",
    "monitor/alerts/render/slack.py",
    "monitor/cli/alerts_words.py",
    "monitor/alerts/rules/threads.py",
    "monitor/alerts/rules/compound.py",
    "monitor/alerts/rules/query.py",
    "monitor/alerts/rules/silence.py",
    "monitor/alerts/rules/digest.py",
    "monitor/alerts/rules/digest_words.py",
    "storage/alert_records.py",
    "monitor/alerts/rules/__init__.py",
    "monitor/alerts/rules/occasion.py",
    "monitor/alerts/rules/trend.py",
    "monitor/alerts/rules/match.py",
    "monitor/alerts/rules/feeds.py",
    "storage/records.py",
    "storage/feed_records.py",
)
SPEAKS_FOR_ITSELF = (
    "storage.records",
    "storage.feed_records",
    "storage.alert_records",
    "monitor.errors",
    "monitor.settings",
)
IMPURE = {
    *("asyncio", "io", "os", "pathlib", "random", "secrets", "shutil", "signal", "socket", "sqlite3", "subprocess"),
    *("sys", "tempfile", "threading", "httpx", "structlog", "sqlite_utils", "onnxruntime", "transformers"),
}

ONLY_IN = {
    "sqlite3": ("storage/",),
    "sqlite_utils": ("storage/",),
    "httpx": (
        *("monitor/feeds/fetch.py", "monitor/feeds/transport.py", "monitor/feeds/failures.py"),
        "monitor/alerts/channels/",
    ),
    "feedparser": ("monitor/feeds/",),
    "aiosmtplib": ("monitor/alerts/channels/",),
    "apprise": ("monitor/alerts/channels/apprise.py",),
    "aiosmtpd": ("monitor/demo/",),
    "apscheduler": ("monitor/daemon.py",),
    "onnxruntime": ("monitor/signals/onnx_classifier.py", "monitor/training/"),
    "transformers": ("monitor/signals/hub.py", "monitor/training/"),
    "torch": ("monitor/signals/hub.py", "monitor/training/"),
    "listparser": ("monitor/feeds/opml.py",),
    "publicsuffixlist": ("monitor/feeds/domains.py",),
    "uvicorn": ("monitor/websub/server.py",),
    "jinja2": ("monitor/alerts/render/",),
}
"""Which rooms may import what."""

AT_START = {
    "apprise",
    "httpx",
    "aiosmtplib",
    "apscheduler",
    "onnxruntime",
    "tokenizers",
    "transformers",
    "torch",
    "numpy",
    "feedparser",
    "rich",
    "uvicorn",
    "publicsuffixlist",
}
"""What `monitor --help` must not load."""


@cache
def tree(source: str) -> ast.Module:
    return ast.parse((ROOT / source).read_text(), source)


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions() -> Iterator[tuple[str, int]]:
    for source in SOURCES:
        for node in ast.walk(tree(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = len((ast.get_docstring(node) or "").splitlines())
                yield (
                    f"{source}:{node.lineno} {node.name}",
                    (node.end_lineno or 0) - node.body[0].lineno + 1 - docstring,
                )


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith("storage/")])
def test_storage_imports_nothing_of_monitor(source: str) -> None:
    assert [name for name in imports(source) if name.split(".")[0] == "monitor"] == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    users = {source for source in SOURCES for name in imports(source) if name.split(".")[0] == library}
    assert users
    assert sorted(source for source in users if not source.startswith(ONLY_IN[library])) == []


@pytest.mark.parametrize("source", PURE)
def test_a_pure_file_imports_only_records_and_other_pure_files(source: str) -> None:
    modules = {pure.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for pure in PURE}
    allowed = (*SPEAKS_FOR_ITSELF, *modules)
    ours = [name for name in imports(source) if name.split(".")[0] in {"monitor", "storage"}]
    assert [name for name in ours if not any(name == a or name.startswith(f"{a}.") for a in allowed)] == []


@pytest.mark.parametrize("source", PURE)
def test_a_pure_file_has_no_clock_and_does_no_input_or_output(source: str) -> None:
    assert {name.split(".")[0] for name in imports(source)} & IMPURE == set()
    calls = {
        node.func.attr
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    names = {
        node.func.id
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert (calls | names) & {
        "now",
        "today",
        "utcnow",
        "monotonic",
        "open",
        "print",
        "read_text",
        "write_text",
    } == set()


def test_only_the_configuration_reads_the_environment() -> None:
    readers = [s for s in SOURCES if re.search(r"os\.environ|getenv|import environ", (ROOT / s).read_text())]
    assert readers == ["monitor/config.py"]


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    script = "import sys; from monitor.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & AT_START == set()


@pytest.mark.parametrize("source", SOURCES)
def test_a_module_is_short_enough_to_read(source: str) -> None:
    assert len((ROOT / source).read_text().splitlines()) <= 400


def test_functions_are_small() -> None:
    lengths = dict(functions())
    assert {name: length for name, length in lengths.items() if length > 45} == {}
    assert statistics.median(lengths.values()) <= 10
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 25


def test_no_file_has_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "core", "base", "common", "misc", "lib"}
    assert [source for source in SOURCES if Path(source).stem in vague] == []


def test_every_layer_of_the_pipeline_is_called_in_order() -> None:
    steps = [node.name for node in tree("monitor/pipeline.py").body if isinstance(node, ast.AsyncFunctionDef)]
    flow = ["poll", "classify", "group", "judge", "deliver"]
    assert [step for step in steps if step in flow] == flow
