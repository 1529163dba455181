"""Where the register is kept: a file for each user, or whatever the fund file or the environment says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from allocator.config.settings import Settings

__all__ = ["VARIABLE", "Place", "register_place"]

VARIABLE = "ALLOCATOR_REGISTER"
"""Environment variable: a file, a database URL, or ``off``."""

OFF = "off"
FILE = "register.sqlite"


@dataclass(frozen=True, slots=True)
class Place:
    """A register's place: a file of its own, or a database by its SQLAlchemy URL.

    Parameters
    ----------
    file : Path or None
        The SQLite file.
    url : str or None
        The URL; may hold a password and is never shown.
    """

    file: Path | None = None
    url: str | None = None

    def __str__(self) -> str:
        if self.url is None:
            return str(self.file)
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"


def register_place(environ: Mapping[str, str], settings: Settings | None = None) -> Place | None:
    """Return where runs are registered; None when they are not.

    The first of these that says something decides: ``--set register=…``, the environment variable
    ``ALLOCATOR_REGISTER``, ``register:`` in the fund file, the user's data folder. ``off`` (in the fund file
    also ``false``) switches the register off; text with ``://`` is a database URL, any other a file, which in a
    fund file starts at its folder.
    """
    own = None if settings is None else settings.run_register
    is_set = settings is not None and "register" in settings.overrides
    given = environ.get(VARIABLE) or None
    if own is not None and (is_set or given is None):
        assert settings is not None
        return None if own is False or own == OFF else _place(own, settings.folder)
    if given is not None:
        return None if given == OFF else _place(given, Path())
    return Place(file=_users_folder() / FILE)


def _place(text: str, folder: Path) -> Place:
    return Place(url=text) if "://" in text else Place(file=folder / Path(text).expanduser())


def _users_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("allocator", appauthor=False)
