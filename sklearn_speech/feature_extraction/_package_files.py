"""Files of installed packages."""

import importlib.util
from pathlib import Path


def folders_of_package(package: str) -> list[Path] | None:
    """Folders of an installed package, or None if it is not installed.

    The package is not imported: it may need further packages, which are not used here.

    Parameters
    ----------
    package : str
        Its import name, with dots if it is inside another.
    """
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # the one that it is inside
        return None
    return None if spec is None else [Path(p) for p in spec.submodule_search_locations or []]
