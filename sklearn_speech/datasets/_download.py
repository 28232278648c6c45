"""Downloads that either arrive whole and verified, or leave nothing behind."""

import hashlib
import os
import shutil
import tarfile
import tempfile
import time
import urllib.request
import warnings
import zlib
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

#: Seconds without a byte after which a connection counts as lost.
TIMEOUT = 60

_CHUNK = 1 << 16


def folder_digest(folder, names):
    """One SHA-256 over the names and contents of files.

    The same figure as ``sha256sum NAMES | sha256sum`` in that folder, with the
    names sorted by code point (``LC_ALL=C``).

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
    url, members, digest, target, *, n_retries=3, delay=1.0, progress=True, title="download"
):
    """Download a tar.gz archive and make some of its files one new folder.

    Everything happens in a temporary folder beside `target`, which is moved
    there in one step once `digest` agrees.

    Parameters
    ----------
    url : str
        Address of the archive.
    members : dict of str to str
        Name in the archive, below its top folder, and file name in `target`.
        Nothing else is unpacked, wherever it claims to belong.
    digest : str
        What :func:`folder_digest` must give for the files.
    target : pathlib.Path
        Folder to make; it may exist only if it is empty.
    n_retries : int, default=3
        How often a lost connection is tried again.
    delay : float, default=1.0
        Seconds between the tries.
    progress : bool, default=True
        Whether to show a progress bar.
    title : str, default="download"
        What the progress bar and errors call it.

    Raises
    ------
    OSError
        When the archive cannot be had, is broken, or holds other files than
        expected. `target` is then as it was.
    """
    with _new_folder(target) as (archive, unpacked):
        _download(url, archive, n_retries, delay, progress, title)
        try:
            found = _unpack(archive, lambda name: members.get(name.partition("/")[2]), unpacked)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise OSError(f"{title}: what came from {url} is no whole archive: {error}") from error
        missing = sorted(set(members.values()) - found)
        if missing:
            raise OSError(
                f"{title}: {len(missing)} of {len(members)} files are missing in the archive "
                f"from {url} ({', '.join(missing[:3])}, ...)"
            )
        if (actual := folder_digest(unpacked, found)) != digest:
            raise OSError(
                f"{title}: the files from {url} have SHA-256 {actual}, expected {digest}; "
                "they are not the pinned version and were deleted"
            )


def fetch_archive(
    url, sha256, rename, target, *, n_retries=3, delay=1.0, progress=True, title="download"
):
    """Download a tar.gz archive whose own checksum is known, and unpack it as a new folder.

    As :func:`fetch_archive_folder`, all in a temporary folder first; nothing is
    unpacked from an archive that is not the one expected.

    Parameters
    ----------
    url : str
        Address of the archive.
    sha256 : str
        SHA-256 of the archive, 64 hexadecimal digits.
    rename : callable
        Gives, for a name in the archive, the path below `target` to write it to,
        or None to leave it out.
    target : pathlib.Path
        Folder to make; it may exist only if it is empty.
    n_retries : int, default=3
        How often a lost connection is tried again.
    delay : float, default=1.0
        Seconds between the tries.
    progress : bool, default=True
        Whether to show a progress bar.
    title : str, default="download"
        What the progress bar and errors call it.

    Raises
    ------
    OSError
        When the archive cannot be had or is another one. `target` is then as it was.
    """
    with _new_folder(target) as (archive, unpacked):
        _download(url, archive, n_retries, delay, progress, title)
        with open(archive, "rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != sha256:
            raise OSError(
                f"{title}: what came from {url} has SHA-256 {actual}, expected {sha256}; "
                "it is not the published archive and was deleted"
            )
        _unpack(archive, rename, unpacked)


@contextmanager
def _new_folder(target):
    """Places beside `target` for an archive and for what it holds, which ends up as `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=target.parent) as folder:
        unpacked = Path(folder) / target.name
        unpacked.mkdir()
        yield Path(folder) / "archive", unpacked
        _move(unpacked, target)


def _download(url, path, n_retries, delay, progress, title):
    for n_left in range(n_retries, -1, -1):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as source, open(path, "wb") as file:
                _copy(source, file, progress, title)
            return
        except (OSError, HTTPException) as error:
            if n_left == 0:
                raise OSError(f"{title}: {url} cannot be downloaded: {error}") from error
            warnings.warn(
                f"{title}: {url} failed ({error}); trying again, {n_left} tries left",
                UserWarning,
                stacklevel=4,
            )
            time.sleep(delay)


def _copy(source, file, progress, title):
    size = source.headers.get("Content-Length")
    total = int(size) if size else None
    with tqdm(desc=title, total=total, unit="B", unit_scale=True, disable=not progress) as bar:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
    # a connection that closes early looks like the end of the file
    if total is not None and file.tell() != total:
        raise OSError(f"connection lost after {file.tell()} of {total} bytes")


def _unpack(archive, rename, folder):
    """Write the wanted members under names of our own choosing; returns these names."""
    found = set()
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = rename(member.name)
            if name is None or not member.isfile():
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, open(folder / name, "wb") as file:
                shutil.copyfileobj(source, file)
            found.add(name)
    return found


def _move(folder, target):
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    try:
        os.replace(folder, target)
    except OSError:
        # another process was faster; the caller checks what it left
        if not target.is_dir():
            raise
