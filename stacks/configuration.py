"""How every program loads the configuration. Apart from the catalogue, which is read without the loader, too."""

from collections.abc import Callable, Collection
from pathlib import Path

from config.loader import CDK_OPTION, Config, load
from config.models import CommonSettings
from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS


def configuration(
    path: Path,
    wanted: Callable[[CommonSettings], Collection[str]] | None = None,
    *,
    option: str = CDK_OPTION,
) -> Config:
    """Loads a configuration for the wanted solutions.

    Args:
        wanted: slugs whose sections are needed, once ``common`` is known; None: all.
        option: how the program that asks is given another file, for messages.

    Raises:
        ConfigError: the file is not usable.
    """
    once = {solution.slug: solution.accounts for solution in SOLUTIONS if solution.accounts != "every account"}
    return load(path, settings_by_slug(), only=wanted, once=once, option=option)
