"""``python prepare.py SOURCE CENSUS``: removes excluded files, and counts what the advisor will not read.

The advisor has no option to exclude anything, and follows links anywhere.
"""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

VERSION_CONTROL = {".git", ".hg", ".svn", "CVS"}
ARCHIVES = {".jar", ".war"}
# By file names and endings; https://github.com/aws/porting-advisor-for-graviton#readme lists what is scanned.
BY_SUFFIX = {
    ".cs": ".NET",
    ".csproj": ".NET",
    ".vb": ".NET",
    ".fs": ".NET",
    ".rb": "Ruby",
    ".js": "Node.js",
    ".mjs": "Node.js",
    ".ts": "Node.js",
    ".rs": "Rust",
    ".php": "PHP",
    ".gradle": "Gradle",
}
BY_NAME = {
    "package.json": "Node.js",
    "gemfile": "Ruby",
    "build.gradle.kts": "Gradle",
    "pyproject.toml": "pyproject.toml",
    "setup.py": "setup.py",
    "setup.cfg": "setup.cfg",
    "pipfile": "Pipfile",
    "poetry.lock": "Poetry",
    "cargo.toml": "Rust",
}
EXACT = ("requirements.txt", "pom.xml", "go.mod")  # these names in another case are not read


def prepare(source: Path, exclude: list[str]) -> dict[str, object]:
    """Removes links that leave the source and excluded files; returns the census."""
    for link in list(_links(source)):
        if not link.resolve().is_relative_to(source.resolve()):
            link.unlink()
            print(f"removed {link.relative_to(source)}: a link that leaves the source")
    for folder in exclude:
        _remove(source, folder)
    counted: Counter[str] = Counter()
    archives = 0
    for path in _files(source):
        archives += path.suffix in ARCHIVES
        if language := _not_read(path.name):
            counted[language] += 1
    return {"not_scanned": dict(sorted(counted.items())), "archives": archives}


def _remove(source: Path, folder: str) -> None:
    path = source / folder
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        print(f"{folder} is excluded but does not exist")
        return
    print(f"removed {folder}: excluded")


def _not_read(name: str) -> str | None:
    folded = name.lower()
    if folded in EXACT and name not in EXACT:
        return f"{name} (the advisor reads only {folded})"
    return BY_NAME.get(folded) or BY_SUFFIX.get(Path(folded).suffix)


def _walk(source: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for folder, folders, files in os.walk(source):
        folders[:] = [each for each in folders if each not in VERSION_CONTROL]
        yield Path(folder), folders, files


def _links(source: Path) -> Iterator[Path]:
    for folder, folders, files in _walk(source):
        yield from (folder / name for name in (*folders, *files) if (folder / name).is_symlink())


def _files(source: Path) -> Iterator[Path]:
    for folder, _, files in _walk(source):
        yield from (folder / name for name in files)


def main(source: str, census: str) -> int:
    """Prepares the source with the settings in SCAN.

    Returns:
        0; a failure to remove something ends the program with a traceback.
    """
    found = prepare(Path(source), json.loads(os.environ["SCAN"])["exclude"])
    Path(census).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
