"""Commands that ask the database; they read only, and need no daemon."""

from collections.abc import Mapping
from pathlib import Path

import click

from monitor.cli.options import config_option, load_config
from monitor.cli.tables import FORMATS, show
from storage import reading
from storage.errors import QueryError

format_option = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print the rows."
)


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@config_option
@click.option("--list", "list_all", is_flag=True, help="Show all questions and their parameters.")
@format_option
@click.argument("name", required=False)
@click.pass_context
def query(ctx: click.Context, config_path: Path, list_all: bool, form: str, name: str | None) -> None:
    """Answer the canned question NAME; parameters follow as --topic capex --days 30."""
    known = reading.canned_queries()
    if list_all or name is None:
        click.echo(_catalogue(known))
        return
    if name not in known:
        raise QueryError(f"there is no query {name!r}; `monitor query --list` shows all")
    values = _parameters(known[name], ctx.args)
    show(reading.ask(load_config(config_path).database, known[name].sql, values), form)


def _catalogue(known: Mapping[str, reading.CannedQuery]) -> str:
    lines = []
    for canned in known.values():
        lines.append(f"{canned.name:26}{canned.question}")
        lines += [f"{'':28}--{name} {default:12} {text}" for name, (default, text) in canned.parameters.items()]
    return "\n".join(lines)


def _parameters(canned: reading.CannedQuery, arguments: list[str]) -> dict[str, str]:
    """Read `--name value` and `--name=value` pairs over the query's defaults."""
    values = {name: default for name, (default, _) in canned.parameters.items()}
    words = [part for argument in arguments for part in argument.split("=", 1)]
    for option, value in zip(words[::2], [*words[1::2], None], strict=False):
        name = option.removeprefix("--")
        if name not in values or value is None:
            known = ", ".join(f"--{known}" for known in values) or "none"
            raise QueryError(f"{canned.name}: cannot read {option!r}; this query's parameters: {known}")
        if values[name].isdigit() and not value.isdigit():
            raise QueryError(f"{canned.name}: {option} takes a whole number, not {value!r}")
        values[name] = value
    return values


@click.command()
@config_option
@format_option
@click.option("--timeout", type=float, default=30.0, show_default=True, help="Seconds after which it is stopped.")
@click.argument("statement")
def sql(config_path: Path, form: str, timeout: float, statement: str) -> None:
    """Run one SELECT on the database. Nothing can be written; docs/sql.md describes tables and views."""
    show(reading.ask(load_config(config_path).database, statement, seconds=timeout), form)
