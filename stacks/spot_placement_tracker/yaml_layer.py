"""PyYAML for functions: they read the file that people store."""

from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from constructs import Construct

from stacks.shared.archive_layer import ArchiveLayer

CACHE = Path(__file__).parents[2] / ".local" / "pyyaml"
WHEN = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same package gives the same archive


class YamlLayer(ArchiveLayer):
    """The very PyYAML that requirements.txt pins, without its optional compiled part, which is for one machine.

    It is made once for each version, from what ``pip install -r requirements.txt`` has put and checked here.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        version = distribution("PyYAML").version
        digest = sha256(f"PyYAML=={version}".encode()).hexdigest()
        archive = CACHE / f"{digest}.zip"
        if not archive.exists():
            write_archive(archive)
        what = f"PyYAML {version}, pure Python"
        super().__init__(scope, construct_id, archive, digest, description=what, license_id="MIT")


def write_archive(path: Path) -> None:
    """Packs the modules and the licence into the folder that Lambda puts on the path
    (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as unfinished, ZipFile(unfinished, "w") as archive:
        for name, content in _files():
            archive.writestr(ZipInfo(f"python/{name}", WHEN), content, ZIP_DEFLATED)
    Path(unfinished.name).replace(path)


def _files() -> Iterator[tuple[str, bytes]]:
    for file in sorted(distribution("PyYAML").files or [], key=str):
        licence = file.name.upper().startswith("LICENSE")
        if licence or (file.parts[0] == "yaml" and file.suffix == ".py"):
            yield (f"yaml/{file.name}" if licence else str(file)), file.read_binary()
