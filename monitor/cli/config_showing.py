"""The configuration as it is in force: every default filled in, no secret shown."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.representer import RoundTripRepresenter

from monitor.cli.options import config_option, load_config
from monitor.config import Config, secret_reader
from monitor.errors import ConfigError

_NAMES_SECRET = "_env"  # noqa: S105 - how the fields end that name a secret's variable
_PUBLIC = {"feeds", "contact", "api"}
"""Keys below which web addresses are no secrets; of every other address the path is left out."""

IsSet = Callable[[str], bool]


class _Representer(RoundTripRepresenter):
    """Writes what is not set as `null`, where ruamel would write nothing."""


_Representer.add_representer(type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null"))


@click.command("show")
@config_option
def show_(config_path: Path) -> None:
    """Print the configuration in force as YAML: feeds.yaml with every default filled in.

    Of a secret only the variable's name is shown, and whether it is set; of an address that may be secret, only the
    host. Exit code 2 when the file has mistakes.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(effective(load_config(config_path), _is_set), sys.stdout)


def _is_set(variable: str) -> bool:
    try:
        return bool(secret_reader()(variable))
    except ConfigError:
        return False


def effective(config: Config, is_set: IsSet) -> CommentedMap:
    """Return a configuration as YAML's mappings, with a remark behind each secret's variable."""
    return _mapping(config.model_dump(mode="json", by_alias=True), is_set, public=False)


def _mapping(block: Mapping[str, Any], is_set: IsSet, *, public: bool) -> CommentedMap:
    shown = CommentedMap({key: _shown(value, is_set, public=public or key in _PUBLIC) for key, value in block.items()})
    for key, value in block.items():
        if str(key).endswith(_NAMES_SECRET) and value:
            shown.yaml_add_eol_comment("(set)" if is_set(value) else "(not set)", key)
    return shown


def _shown(value: Any, is_set: IsSet, *, public: bool) -> Any:
    if isinstance(value, dict):
        return _mapping(value, is_set, public=public)
    if isinstance(value, list):
        return [_shown(each, is_set, public=public) for each in value]
    return value if public or not isinstance(value, str) else _masked(value)


def _masked(text: str) -> str:
    """Return a web address without what may be secret in it; any other text as it is."""
    if not text.startswith(("http://", "https://")):
        return text
    parts = urlsplit(text)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}/…" if parts.path.strip("/") or parts.query or parts.fragment else text
