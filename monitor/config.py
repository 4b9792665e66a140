"""feeds.yaml: its models, its reader, and every mistake in it named by file, line and column.

This is the only module that reads the environment: secrets come from variables (or files) that the YAML names.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError

from monitor.alerts.channels import CHANNELS
from monitor.alerts.channels.channel import ChannelSettings
from monitor.alerts.channels.console import ConsoleSettings
from monitor.alerts.quiet import QuietHours
from monitor.alerts.rules import RULES
from monitor.alerts.rules.compound import Condition
from monitor.alerts.rules.trend import TrendRule
from monitor.contradictions import contradictions
from monitor.detection.holidays import known_countries
from monitor.errors import ConfigError
from monitor.feeds.due import PollSettings
from monitor.feeds.limits import FetchSettings, HostSettings
from monitor.heartbeat import HeartbeatSettings
from monitor.settings import Duration, Settings, time_zone, web_address
from monitor.signals.settings import ClassifierSettings, TopicSettings
from monitor.websub.settings import WebSubSettings
from monitor.yaml_file import Problem, YamlFile
from storage.feed_records import FeedSpec

if TYPE_CHECKING:
    from monitor.alerts.rules.occasion import RuleSettings

    AnyChannel = ChannelSettings
    AnyRule = RuleSettings
else:  # the tables decide which kinds there are; the field `type` or `rule` says which one a block is
    AnyChannel = Annotated[Union[tuple(kind.settings for kind in CHANNELS.values())], Field(discriminator="type")]  # noqa: UP007 - built from a table
    AnyRule = Annotated[Union[tuple(kind.settings for kind in RULES.values())], Field(discriminator="rule")]  # noqa: UP007 - built from a table


def _country(code: str) -> str:
    if code not in known_countries():
        raise ValueError("there is no such country; write its code of two capital letters: US, DE, GB, JP ...")
    return code


def _console_only() -> dict[str, ChannelSettings]:
    return {"console": ConsoleSettings(type="console")}


class FeedSettings(Settings):
    """One feed. The URL is asked for exactly as it is written here."""

    name: str = Field(min_length=1, max_length=80, description="Shown in alerts and in SQL; unique.")
    url: Annotated[str, AfterValidator(web_address)]
    lang: str | None = Field(
        None, pattern="^[a-z]{2}$", description="Two-letter language code, when it is always the same."
    )
    kind: str | None = Field(None, max_length=40, description="A word of yours: lab, press, policy, ...")
    every: Duration | None = Field(
        None, ge=timedelta(seconds=1), description="Time between two polls; without it the feed's own pace decides."
    )
    enabled: bool = True


class LogSettings(Settings):
    """What the daemon writes on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, else JSON lines.")


class Config(Settings):
    """All of feeds.yaml."""

    database: Path = Field(Path("signals.db"), description="SQLite file; relative to the folder of feeds.yaml.")
    contact: str | None = Field(
        None,
        pattern="^[ -~]{1,200}$",
        description="E-mail or page named in the User-Agent; some publishers (sec.gov) insist.",
    )
    timezone: Annotated[str, AfterValidator(time_zone)] = Field(
        "UTC",
        description="Whose days are counted, and whose time alerts tell: UTC, Europe/Berlin, America/New_York ...",
    )
    holidays: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(
        ("US",), description="Countries (US, DE, GB, JP ...) on whose public holidays less is expected."
    )
    quiet: QuietHours = Field(
        (),
        description="When alerts wait, unless they are critical: 22:00-07:00, or Sat,Sun 00:00-24:00; after a time, a "
        "time zone may stand. They are told afterwards.",
    )
    heartbeat: HeartbeatSettings | None = Field(
        None,
        description="An address that is asked while all is well, so that somebody else notices when this host is gone.",
    )
    poll: PollSettings = PollSettings()
    fetch: FetchSettings = FetchSettings()
    websub: WebSubSettings = WebSubSettings()
    log: LogSettings = LogSettings()
    classifier: ClassifierSettings = ClassifierSettings()
    topics: dict[str, TopicSettings] = Field({}, description="Settings per topic of the model, and topics of your own.")
    channels: dict[str, AnyChannel] = Field(
        default_factory=_console_only,
        description="Where alerts can go, by a name of yours.",
    )
    alerts: tuple[AnyRule, ...] = Field(
        default_factory=lambda: (TrendRule(name="surge", rule="trend"),), description="When to alert, and whom."
    )
    feeds: tuple[FeedSettings, ...] = Field(description="What to read.")

    def feed_specs(self) -> list[FeedSpec]:
        """Return the enabled feeds as storage knows them."""
        return [
            FeedSpec(feed.name, feed.url, feed.lang, feed.kind, feed.every or self.poll.every)
            for feed in self.feeds
            if feed.enabled
        ]

    def zone(self) -> ZoneInfo:
        """Return the time zone whose days are counted."""
        return ZoneInfo(self.timezone)

    def own_topics(self) -> tuple[str, ...]:
        """Name the topics of the user's own: those that have examples."""
        return tuple(topic for topic, settings in self.topics.items() if settings.examples is not None)


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return $MONITOR_CONFIG, else feeds.yaml in the current folder."""
    return Path(environ.get("MONITOR_CONFIG") or "feeds.yaml")


def load(
    path: Path,
    known_topics: tuple[str, ...],
    *,
    need_secrets: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Read and check a configuration; its database path comes back absolute.

    With ``need_secrets``, every secret that is named must be there: asking the database needs none.
    Raises ConfigError with one line for each mistake: file:line:column: where: what is wrong, and what to do.
    """
    file = YamlFile.read(path)
    try:
        config = Config.model_validate(file.data)
    except ValidationError as error:
        raise ConfigError(*file.explain_all(error, field_names())) from None
    config = config.model_copy(update=_beside(path, config, environ))
    problems = list(contradictions(config, known_topics))
    if need_secrets:
        problems += _missing_secrets(config, environ)
    if problems:
        raise ConfigError(*(file.explain(problem) for problem in problems))
    return config


def _beside(path: Path, config: Config, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that name files, with paths relative to the configuration's folder made absolute."""
    folder = path.absolute().parent
    topics = {
        name: topic.model_copy(update={"examples": topic.examples and folder / topic.examples.expanduser()})
        for name, topic in config.topics.items()
    }
    classifier = config.classifier.model_copy(update={"model": _model(config.classifier.model, folder)})
    return {
        "database": _database_path(config, path, environ),
        "topics": topics,
        "classifier": classifier,
        "channels": {name: _absolute(channel, folder) for name, channel in config.channels.items()},
    }


def _absolute(channel: ChannelSettings, folder: Path) -> ChannelSettings:
    place = getattr(channel, "path", None)
    return channel if place is None else channel.model_copy(update={"path": folder / place.expanduser()})


def _model(model: str | None, folder: Path) -> str | None:
    """Return a model's folder made absolute, or its name (org/name) as it is."""
    with suppress(RuntimeError):  # "~nobody": no such user, and no such folder
        if model and (place := folder / Path(model).expanduser()).is_dir():
            return str(place)
    return model


def _database_path(config: Config, path: Path, environ: Mapping[str, str]) -> Path:
    """Return $MONITOR_DATABASE (for containers), else the configured path, relative to the configuration's folder."""
    chosen = Path(environ.get("MONITOR_DATABASE") or config.database)
    try:
        return (path.absolute().parent / chosen.expanduser()).resolve()
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(f"{path}: database: {str(chosen)!r} is no usable path: {error}") from None


def _missing_secrets(config: Config, environ: Mapping[str, str]) -> Iterator[Problem]:
    read = secret_reader(environ)
    blocks: list[tuple[tuple[str, ...], Settings]] = [
        (("channels", name), one) for name, one in config.channels.items()
    ]
    if config.heartbeat:
        blocks.append((("heartbeat",), config.heartbeat))
    for where, block in blocks:
        for field in type(block).model_fields:
            if field.endswith("_env") and (variable := getattr(block, field)):
                try:
                    read(variable)
                except ConfigError as error:
                    yield Problem((*where, field), str(error))


def secret_reader(environ: Mapping[str, str] = os.environ) -> Callable[[str], str]:
    """Return a function that reads a secret by its variable's name: NAME itself, else the file that NAME_FILE names."""

    def read(name: str) -> str:
        if value := environ.get(name):
            return value
        if file := environ.get(f"{name}_FILE"):
            return _secret_in(Path(file), name)
        raise ConfigError(f"set the environment variable {name}, or {name}_FILE to a file that holds it")

    return read


def _secret_in(file: Path, name: str) -> str:
    try:
        value = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE names {file}, which cannot be read: {error}") from None
    if not value:
        raise ConfigError(f"{name}_FILE names {file}, which is empty")
    return value


def field_names() -> set[str]:
    """Return every key that feeds.yaml may contain, for hints."""
    blocks: list[type[Settings]] = [Config, FeedSettings, TopicSettings, ClassifierSettings, LogSettings]
    blocks += [PollSettings, FetchSettings, HostSettings, WebSubSettings, HeartbeatSettings, Condition]
    blocks += [kind.settings for kind in CHANNELS.values()] + [kind.settings for kind in RULES.values()]
    return {field.alias or name for block in blocks for name, field in block.model_fields.items()}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of feeds.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feeds.yaml",
    } | Config.model_json_schema()


def starter_text() -> str:
    """Return the commented feeds.yaml that `monitor init` writes: the project's own default."""
    installed = Path(__file__).with_name("starter.yaml")  # the wheel carries feeds.yaml under this name
    return (installed if installed.exists() else Path(__file__).parents[1] / "feeds.yaml").read_text(encoding="utf-8")
