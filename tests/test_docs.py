"""The documents tell what the program does: examples run, names exist, nothing is left out."""

import re
from pathlib import Path

import pytest

from monitor.cli import COMMANDS
from storage import reading
from storage.migrations import view_sources
from storage.store import Store

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SQL = (ROOT / "docs" / "sql.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```", SQL, re.DOTALL)


@pytest.mark.parametrize("sql", EXAMPLES)
def test_the_sql_example_runs(store: Store, sql: str) -> None:
    assert reading.ask(store.path, sql).columns


def test_every_table_and_view_is_described(store: Store) -> None:
    ours = "name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
    names = reading.ask(store.path, f"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND {ours}").rows
    assert [name for (name,) in names if f"`{name}`" not in SQL] == []


def test_no_view_is_described_that_does_not_exist() -> None:
    views = SQL.split("## Views")[1].split("## Tables")[0]
    assert set(re.findall(r"^\| `(\w+)`", views, re.MULTILINE)) == {name for name, _ in view_sources()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_queries_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    commands = set(re.findall(r"(?:`|\$ |uv run |bin/)monitor ([a-z]+)", text))
    assert commands <= set(COMMANDS)
    assert set(re.findall(r"monitor query ([a-z][\w-]*)", text)) - {"NAME"} <= set(reading.canned_queries())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_is_described_somewhere() -> None:
    everything = "\n".join(page.read_text() for page in PAGES)
    assert [command for command in COMMANDS if f"monitor {command}" not in everything] == []


def test_every_log_event_is_documented() -> None:
    sources = [*(ROOT / "monitor").rglob("*.py")]
    events = {
        event
        for source in sources
        for event in re.findall(r'\.(?:info|warning|error|exception)\(\s*"([a-z_]+\.[a-z_]+)"', source.read_text())
    }
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert sorted(event for event in events if f"`{event}`" not in operations) == []


def test_exit_codes_are_documented_as_they_are() -> None:
    from monitor import errors as ours
    from storage import errors as theirs

    operations = (ROOT / "docs" / "operations.md").read_text()
    codes = {
        c.exit_code for m in (ours, theirs) for c in vars(m).values() if isinstance(c, type) and hasattr(c, "exit_code")
    }
    assert [code for code in codes if f"| {code} |" not in operations] == []


def test_nothing_names_the_machine_it_was_made_on() -> None:
    pattern = re.compile(r"/work/|/tmp/bash|\.library|\.\./shared")
    files = [
        p
        for room in ("monitor", "storage", "docs", "benchmarks")
        for p in (ROOT / room).rglob("*")
        if p.suffix in {".py", ".md", ".sql", ".yaml", ".json"}
    ]
    assert [str(path) for path in files if pattern.search(path.read_text(errors="replace"))] == []
