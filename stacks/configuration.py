"""How every program loads the configuration. Apart from the catalogue, which is read without the loader, too."""

from collections.abc import Callable, Collection
from pathlib import Path

from config.loader import Config, ConfigError, load
from config.models import CommonSettings
from stacks.catalog import settings_by_slug


def configuration(
    path: Path,
    wanted: Callable[[CommonSettings], Collection[str]] | None = None,
    *,
    option: str = "-c config=<file>",
) -> Config:
    """Loads a configuration for the wanted solutions.

    Args:
        wanted: slugs whose sections are needed, once ``common`` is known; None: all.
        option: how the program that asks is given another file, for messages.

    Raises:
        ConfigError: the file is not usable.
    """
    if not path.exists():
        raise ConfigError(f"{path} does not exist; name another with {option}")
    config = load(path, settings_by_slug())
    if wanted:
        wanted(config.common)
    return config
