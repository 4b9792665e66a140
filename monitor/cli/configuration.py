"""Commands about feeds.yaml."""

import json
from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.config import Config, json_schema, load, starter_text
from monitor.errors import ConfigError
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier


@click.command()
@config_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of feeds.yaml instead, for editors.")
def check(config_path: Path, schema: bool) -> None:
    """Check feeds.yaml and name every mistake by line and column; exit 2 when there is one."""
    if schema:
        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    try:
        config = load(config_path, OnnxClassifier.open().topics, need_secrets=True)
        open_classifier(config.classifier, config.topics)
    except ConfigError as error:
        click.echo(error, err=True)
        raise SystemExit(error.exit_code) from None
    for advice in _advice(config):
        click.echo(f"note: {advice}")
    click.echo(
        f"{config_path}: good: {len(config.feed_specs())} feeds, {len(config.alerts)} alert rules, "
        f"{len(config.channels)} channels"
    )


def _advice(config: Config) -> list[str]:
    """Return what is allowed and yet worth a word."""
    notes = []
    if config.contact is None and any("sec.gov" in feed.url for feed in config.feeds if feed.enabled):
        notes.append("sec.gov refuses programs that name no contact; set `contact:` to your e-mail address")
    if not config.alerts:
        notes.append("`alerts:` is empty, so nobody will ever be told anything")
    return notes


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("feeds.yaml"))
def init(path: Path) -> None:
    """Write a commented feeds.yaml (or PATH) to start from; never overwrites."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter_text())
    except FileExistsError:
        raise ConfigError(f"{path} exists already; move it away first") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error}") from None
    click.echo(f"wrote {path}; edit it, then `monitor check` and `monitor run`")
