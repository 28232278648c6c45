"""Download archives, verify them, and unpack them completely or not at all."""

import hashlib
import shutil
import tarfile
import time
import urllib.request
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from ..utils.atomic import move_into_place, unfinished_folder

#: Seconds without a byte after which a connection counts as lost.
TIMEOUT = 60

_CHUNK = 1 << 16


def folder_digest(folder: Path, names: Iterable[str]) -> str:
    """Return one SHA-256 over the names and contents of files.

    Equals ``sha256sum NAMES | sha256sum`` in that folder, with the names sorted by
    code point (``LC_ALL=C``).

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the files.
    names : iterable of str
        File names.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder_digest(Path(folder), [])[:8]
    'e3b0c442'
    """
    total = hashlib.sha256()
    for name in sorted(names):
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        total.update(f"{content}  {name}\n".encode())
    return total.hexdigest()


def fetch_archive_folder(
    url: str,
    members: dict[str, str],
    digest: str,
    target: Path,
    *,
    n_retries: int = 3,
    delay: float = 1.0,
    progress: bool = True,
    title: str = "download",
) -> None:
    """Download a tar.gz archive and unpack some of its files into one new folder.

    Files are unpacked into a temporary folder beside `target`, which is renamed to `target` in
    one step after its digest has been verified.

    Parameters
    ----------
    url : str
        URL of the archive.
    members : dict of str to str
        Maps names in the archive, below its top folder, to file names in `target`.
        Nothing else is unpacked.
    digest : str
        Expected result of :func:`folder_digest` for the files.
    target : pathlib.Path
        Folder to create; it may exist if it is empty.
    n_retries : int, default=3
        Number of further attempts after a failed download.
    delay : float, default=1.0
        Seconds between the attempts.
    progress : bool, default=True
        Whether to show a progress bar.
    title : str, default="download"
        Name of the download in the progress bar and in errors.

    Raises
    ------
    OSError
        When the archive cannot be downloaded, is broken, or contains other files
        than expected. `target` is then unchanged.
    """
    with _new_folder(target) as (archive, unpacked):
        _download(url, archive, n_retries, delay, progress, title)
        try:
            found = _unpack(archive, lambda name: members.get(name.partition("/")[2]), unpacked)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise OSError(
                f"{title}: the download from {url} is not a complete archive: {error}"
            ) from error
        missing = sorted(set(members.values()) - found)
        if missing:
            raise OSError(
                f"{title}: {len(missing)} of {len(members)} files are missing from the archive "
                f"from {url} ({', '.join(missing[:3])}, ...)"
            )
        if (actual := folder_digest(unpacked, found)) != digest:
            raise OSError(
                f"{title}: the files from {url} have SHA-256 {actual}, expected {digest}; "
                "they are not the pinned version and were deleted"
            )


def fetch_archive(
    url: str,
    sha256: str,
    rename: Callable[[str], str | None],
    target: Path,
    *,
    n_retries: int = 3,
    delay: float = 1.0,
    progress: bool = True,
    title: str = "download",
) -> None:
    """Download a tar.gz archive with a known checksum and unpack it as a new folder.

    Works in a temporary folder first, like :func:`fetch_archive_folder`. An archive
    whose checksum does not match is not unpacked.

    Parameters
    ----------
    url : str
        URL of the archive.
    sha256 : str
        SHA-256 of the archive, 64 hexadecimal digits.
    rename : callable
        Maps a name in the archive to its path below `target`, or to None to leave
        it out.
    target : pathlib.Path
        Folder to create; it may exist if it is empty.
    n_retries : int, default=3
        Number of further attempts after a failed download.
    delay : float, default=1.0
        Seconds between the attempts.
    progress : bool, default=True
        Whether to show a progress bar.
    title : str, default="download"
        Name of the download in the progress bar and in errors.

    Raises
    ------
    OSError
        When the archive cannot be downloaded or its checksum does not match. `target` is
        then unchanged.
    """
    with _new_folder(target) as (archive, unpacked):
        _download(url, archive, n_retries, delay, progress, title)
        with open(archive, "rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != sha256:
            raise OSError(
                f"{title}: the download from {url} has SHA-256 {actual}, expected {sha256}; "
                "it is not the published archive and was deleted"
            )
        _unpack(archive, rename, unpacked)


@contextmanager
def _new_folder(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield temporary paths of an archive and of its content, which is moved to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(target.parent) as folder:
        unpacked = folder / target.name
        unpacked.mkdir()
        yield folder / "archive", unpacked
        _move(unpacked, target)


def _download(
    url: str, path: Path, n_retries: int, delay: float, progress: bool, title: str
) -> None:
    for n_left in range(n_retries, -1, -1):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as source, open(path, "wb") as file:
                _copy(source, file, progress, title)
            return
        except (OSError, HTTPException) as error:
            if n_left == 0:
                raise OSError(f"{title}: {url} cannot be downloaded: {error}") from error
            warnings.warn(
                f"{title}: {url} failed ({error}); trying again, {n_left} attempts left",
                UserWarning,
                stacklevel=4,
            )
            time.sleep(delay)


def _copy(source: HTTPResponse, file: BinaryIO, progress: bool, title: str) -> None:
    size = source.headers.get("Content-Length")
    total = int(size) if size else None
    with tqdm(desc=title, total=total, unit="B", unit_scale=True, disable=not progress) as bar:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
    # a connection that closes early looks like the end of the file
    if total is not None and file.tell() != total:
        raise OSError(f"connection lost after {file.tell()} of {total} bytes")


def _unpack(archive: Path, rename: Callable[[str], str | None], folder: Path) -> set[str]:
    """Write the members that `rename` keeps, and return their new names."""
    found = set()
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = rename(member.name)
            content = tar.extractfile(member) if name and member.isfile() else None
            if name is None or content is None:
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with content, open(folder / name, "wb") as file:
                shutil.copyfileobj(content, file)
            found.add(name)
    return found


def _move(folder: Path, target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    try:
        move_into_place(folder, target)
    except OSError:
        # another process created it first; the caller checks the result
        if not target.is_dir():
            raise
