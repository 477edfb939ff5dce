"""Reading and writing the files that people name, with a sentence where that fails."""

from pathlib import Path


class UnreadableError(Exception):
    """A file cannot be read; the message is meant for the user."""


class UnwritableError(Exception):
    """A file cannot be written; the message is meant for the user."""


def read_text(path: Path) -> str:
    """Text of a file.

    Raises:
        UnreadableError: it does not exist, is a directory, is not text, or may not be read.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from None


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    Raises:
        UnreadableError: it does not exist, is a directory, or may not be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UnreadableError(f"{path} is a directory; name a file in it") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path} cannot be read: {_reason(error)}") from None


def write_text(path: Path, text: str) -> list[Path]:
    """Writes a file, with the folders that it needs.

    Returns:
        The folders that were created.

    Raises:
        UnwritableError: a part of the path is a file, or may not be written.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except NotADirectoryError:
        raise UnwritableError(f"{path} cannot be written: a part of it is a file, not a folder") from None
    except FileExistsError:
        raise UnwritableError(f"{path} cannot be written: {path.parent} is a file, not a folder") from None
    except (OSError, ValueError) as error:
        raise UnwritableError(f"{path} cannot be written: {_reason(error)}") from None
    return missing


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
