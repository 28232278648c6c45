"""Check what is in a wheel and a source distribution: ``python .ci/check_release.py FOLDER``."""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What a source distribution contains beside the package.
BESIDE = {
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "MANIFEST.in",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
    "setup.cfg",
}


def package_files():
    """Paths of the files that users need: modules, type stubs and the mark of typed packages."""
    wanted = [
        path
        for path in (ROOT / "sklearn_speech").rglob("*")
        if path.suffix in {".py", ".pyi"} or path.name == "py.typed"
    ]
    return {path.relative_to(ROOT).as_posix() for path in wanted}


def check(folder):
    """Raise SystemExit if a file is missing, or one is there that should not be."""
    (wheel,), (source,) = Path(folder).glob("*.whl"), Path(folder).glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    in_wheel = {name for name in names if ".dist-info/" not in name}
    with tarfile.open(source) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    in_source = {name for name in names if not name.startswith("sklearn_speech.egg-info/")}
    for file, found, wanted in (
        (wheel, in_wheel, package_files()),
        (source, in_source, package_files() | BESIDE),
    ):
        if found != wanted:
            missing, unexpected = sorted(wanted - found), sorted(found - wanted)
            raise SystemExit(f"{file.name}: missing {missing}, unexpected {unexpected}")


if __name__ == "__main__":
    check(sys.argv[1])
