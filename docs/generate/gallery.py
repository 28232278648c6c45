"""Conditions in which the examples of the gallery run."""

import os
from pathlib import Path


def use_synthetic_speech(gallery_conf, file):
    """Hide recordings from an example, so that the gallery is the same everywhere.

    sphinx-gallery calls it before each example that it runs.
    """
    os.environ["SKLEARN_SPEECH_DATA"] = str(Path(gallery_conf["src_dir"]) / "no_recordings")
    # no proxy listens there, so that nothing is downloaded
    os.environ.update(https_proxy="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
