"""Conditions in which the examples of the gallery run."""

import os
import shutil
import warnings
from pathlib import Path

import sklearn


def copy_examples(source, folder):
    """Copy the examples to a new `folder`, where they may write files."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir()
    for path in [*Path(source).glob("*.py"), *Path(source).glob("*.rst")]:
        shutil.copy2(path, folder)


def _without_path(message, category, *_, **__):
    return f"{category.__name__}: {message}\n"


def prepare_example(gallery_conf, file):
    """Hide recordings from an example, and undo what the one before it configured.

    sphinx-gallery calls it before each example that it runs. Without recordings, the gallery is
    the same everywhere.
    """
    os.environ["SKLEARN_SPEECH_DATA"] = str(Path(gallery_conf["src_dir"]) / "no_recordings")
    # no proxy listens there, so that nothing is downloaded
    os.environ.update(https_proxy="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
    # the path of the installation would differ with every build
    warnings.formatwarning = _without_path
    # the titles of pictures say that the speech is synthetic
    warnings.filterwarnings("ignore", message=r"\s*!{20}|no real recordings|.*trying again")
    sklearn.set_config(enable_metadata_routing=False)
