import os

import pytest


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def storage(request, tmp_path):
    """A storage of each kind for the trials of a search."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/search.db"
    if request.param == "journal":
        return tmp_path / "search.journal"
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    url = os.environ.get("SKLEARN_SPEECH_TEST_POSTGRES")
    if url is None:
        pytest.skip("no PostgreSQL server: SKLEARN_SPEECH_TEST_POSTGRES holds no URL")
    return url
