"""One file alone uses private names of Optuna, including attributes."""

import ast
import functools
from pathlib import Path

import optuna
import pytest

import sklearn_speech

PACKAGE = Path(sklearn_speech.__file__).parent
ONE_FILE = PACKAGE / "utils" / "optuna_private.py"
OPTUNA = Path(optuna.__file__).parent


@functools.cache
def private_names_of_optuna():
    """Private attributes and functions that Optuna's own source defines."""
    names = set()
    for path in OPTUNA.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
    return frozenset(n for n in names if n.startswith("_") and not n.startswith("__"))


def uses(path, names):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in names:
            of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not of_self:
                yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("optuna"):
            for name in [*node.module.split("."), *(alias.name for alias in node.names)]:
                if name.startswith("_"):
                    yield name, node.lineno
        elif isinstance(node, ast.Constant) and node.value in names:
            yield node.value, node.lineno


#: Names that joblib and scikit-learn have too.
OF_OTHERS = {"_backend", "_format_results", "_parameter_constraints"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "search").glob("*.py")), ids=lambda p: p.name)
def test_the_search_uses_no_private_name_of_optuna(path):
    assert list(uses(path, private_names_of_optuna() - OF_OTHERS)) == []


def test_attributes_imports_and_strings_are_found(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(
        "from optuna.storages._rdb import models\nstudy._storage\ngetattr(study, '_stop_flag')\n"
    )
    names = private_names_of_optuna()
    assert [name for name, _ in uses(path, names)] == ["_rdb", "_storage", "_stop_flag"]
    assert list(uses(ONE_FILE, names))


def test_optuna_is_imported_by_the_search_and_its_private_file_alone():
    importing = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if path != ONE_FILE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "optuna")
        or (isinstance(node, ast.Import) and node.names[0].name.split(".")[0] == "optuna")
    }
    assert importing == {"search"}
