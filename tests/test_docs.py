"""The documentation site: its code runs, and no public name is missing from it."""

import doctest
import importlib
import inspect
import sys
from pathlib import Path

import pytest

import sklearn_speech

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    path
    for path in sorted([*DOCS.glob("*.rst"), *DOCS.glob("guide/*.rst")])
    if ">>> " in path.read_text()
]


@pytest.fixture
def api(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("generate.api")
    for name in [name for name in sys.modules if name.partition(".")[0] == "generate"]:
        del sys.modules[name]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_code_in_the_guide_runs_as_shown(path):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(
        str(path), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert tried > 0
    assert failed == 0


def test_every_public_name_has_a_page_in_the_api_reference(api, tmp_path):
    api.write_api_pages(tmp_path)
    pages = {path.stem for path in (tmp_path / "names").glob("*.rst")}
    shown = {name.rpartition(".")[2] for name in pages}
    assert set(sklearn_speech.__all__) <= shown
    for package in api.packages():
        listed = (tmp_path / f"{package}.rst").read_text()
        for name in importlib.import_module(f"sklearn_speech.{package}").__all__:
            assert name in shown
            assert name in listed, f"{package}.rst does not list {name}"


def test_every_public_name_has_a_summary(api):
    for home in set(api.public_names().values()):
        package, _, name = home.rpartition(".")
        thing = getattr(importlib.import_module(f"sklearn_speech.{package}"), name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), home
        else:
            assert api.comment_of(package, name), home


def test_a_name_exported_twice_has_one_page(api):
    homes = api.public_names()
    assert homes["model_selection.OptunaSearchCV"] == "search.OptunaSearchCV"
    assert homes["leakage.LeakageReport"] == homes["model_selection.LeakageReport"]


def test_the_table_of_contents_leads_to_every_page():
    written = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES}
    listed = set()
    for index, folder in (("index.rst", ""), ("guide/index.rst", "guide/")):
        lines = (DOCS / index).read_text().splitlines()
        listed |= {folder + line.strip() for line in lines if line.startswith("   ")}
    assert written <= listed
