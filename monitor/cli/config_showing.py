"""The configuration as it is in force: every default filled in, no secret shown."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from monitor.cli.options import config_option, load_config
from monitor.config import Config, secret_reader
from monitor.errors import ConfigError

_SECRET = "_env"  # noqa: S105 - how the fields are called that name a secret's variable
_PUBLIC = {"feeds", "contact"}
"""Blocks whose web addresses are no secrets; of every other address the path is left out."""

IsSet = Callable[[str], bool]


@click.command("show")
@config_option
def show_(config_path: Path) -> None:
    """Print the configuration in force as YAML: feeds.yaml with every default filled in.

    Of a secret only the variable's name is shown, and whether it is set; of an address that may be secret, only the
    host. Exit code 2 when the file has mistakes.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import

    shown = effective(load_config(config_path), _is_set)
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(shown, sys.stdout)


def _is_set(variable: str) -> bool:
    try:
        return bool(secret_reader()(variable))
    except ConfigError:
        return False


def effective(config: Config, is_set: IsSet) -> Any:
    """Return a configuration as YAML's mappings, with a remark behind each secret's variable."""
    plain = config.model_dump(mode="json", by_alias=True)
    return {key: _shown(value, is_set, public=key in _PUBLIC) for key, value in plain.items()}


def _shown(value: Any, is_set: IsSet, *, public: bool) -> Any:
    if isinstance(value, dict):
        return _mapping(value, is_set, public=public)
    if isinstance(value, list):
        return [_shown(each, is_set, public=public) for each in value]
    return value if public or not isinstance(value, str) else _masked(value)


def _mapping(block: Mapping[str, Any], is_set: IsSet, *, public: bool) -> Any:
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415 - slow to import

    shown = CommentedMap({key: _shown(value, is_set, public=public) for key, value in block.items()})
    for key, value in block.items():
        if str(key).endswith(_SECRET) and value:
            shown.yaml_add_eol_comment("(set)" if is_set(value) else "(not set)", key)
    return shown


def _masked(text: str) -> str:
    """Return a web address without all that may be secret; any other text as it is."""
    parts = urlsplit(text) if "://" in text and text.isprintable() else None
    if parts is None or not parts.hostname:
        return text
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    secret = bool(parts.path.strip("/") or parts.query or parts.username)
    return f"{parts.scheme}://{host}{port}{'/…' if secret else parts.path}"
