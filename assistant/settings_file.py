"""The settings file: one TOML file for all settings, or some of them changed by a command or a scenario."""

import dataclasses
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import TypeAdapter, ValidationError

from assistant.errors import SettingsError
from assistant.settings import Settings


def settings_path() -> Path:
    """Where settings are looked for when ``--config`` is not given (XDG)."""
    return platformdirs.user_config_path("voicecart") / "voicecart.toml"


def state_folder() -> Path:
    """Where the database and compiled graphs are kept when ``--state`` is not given (XDG).

    ``STATE_DIRECTORY`` (set by systemd) goes first.
    """
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given.split(":")[0]) if given else platformdirs.user_data_path("voicecart")


def read_settings(path: Path | None = None) -> Settings:
    """Reads ``path``, or the XDG path when there is a file, else the defaults.

    Raises:
        SettingsError: A file named but absent, broken TOML, an unknown key or a wrong type; the message names the key.
    """
    file = path or settings_path()
    if path is None and not file.is_file():
        return Settings()
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"Cannot read the settings {file}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings {file} are not TOML: {error}.") from error
    return _validated(values, f"The settings {file}")


def changed(settings: Settings, changes: Mapping[str, Mapping[str, object]]) -> Settings:
    """The settings with some keys changed, as in the settings file: ``{"talk": {"reprompts": 1}}``.

    Raises:
        SettingsError: An unknown key or a wrong type; the message names the key.
    """
    values = dataclasses.asdict(settings)
    for section, keys in changes.items():
        values[section] = {**values.get(section, {}), **keys}
    return _validated(values, "These settings")


def _validated(values: Mapping[str, Any], source: str) -> Settings:
    try:
        return TypeAdapter(Settings).validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: "
            + (
                "unknown key"
                if problem["type"] == "unexpected_keyword_argument"
                else problem["msg"].removeprefix("Value error, ")
            )
            for problem in error.errors()
        )
        raise SettingsError(f"{source} cannot be used: {problems}. See 'voicecart config --explain'.") from error


def explain() -> Iterator[tuple[str, Any, str]]:
    """Every key as (``section.key``, default, description)."""
    for section in dataclasses.fields(Settings):
        values = getattr(Settings(), section.name)
        for key in dataclasses.fields(values):
            yield f"{section.name}.{key.name}", getattr(values, key.name), key.metadata["description"]
