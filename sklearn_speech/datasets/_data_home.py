"""The folder of all data sets."""

import os
from pathlib import Path

from ..utils.paths import absolute_path

#: Environment variable that names the folder of all data sets.
DATA_HOME_VARIABLE = "SKLEARN_SPEECH_DATA"


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that contains one folder for each data set.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        The folder itself. None means the value of the environment variable
        ``SKLEARN_SPEECH_DATA`` if it is set and not empty, and ``~/sklearn_speech_data``
        otherwise.

    Returns
    -------
    data_home : pathlib.Path
        Absolute path. The folder is not created.

    Examples
    --------
    >>> from pathlib import Path
    >>> get_data_home("recordings") == Path.cwd() / "recordings"
    True
    """
    if data_home is None:
        data_home = os.environ.get(DATA_HOME_VARIABLE) or "~/sklearn_speech_data"
    return absolute_path(data_home, "data_home")
