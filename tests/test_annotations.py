"""Type annotations of everything public, so that ``py.typed`` tells the truth."""

import ast
from pathlib import Path

import pytest

import sklearn_speech

PACKAGE = Path(sklearn_speech.__file__).parent

#: Rooms whose public functions and methods are all annotated.
ANNOTATED = [
    "audio",
    "augmentation",
    "base",
    "classification",
    "datasets",
    "detection",
    "export",
    "feature_extraction",
    "filters",
    "inspection",
    "leakage",
    "metrics",
    "model_selection",
    "modules",
    "persistence",
    "pretraining",
    "recipes",
    "recognition",
    "regression",
    "search",
    "splits",
    "store",
    "utils",
]


def public_functions(node, prefix=""):
    """Name and syntax tree of each public function and method of a module or class.

    Private functions, and functions inside functions, are left out; private classes are not,
    since users meet their objects.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from public_functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            if child.name == "__init__" or not child.name.startswith("_"):
                yield prefix + child.name, child
        elif isinstance(child, ast.If):  # below TYPE_CHECKING or another condition
            yield from public_functions(child, prefix)


def missing_annotations(function):
    """Names of the parameters without annotation, and "return" if the result has none."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    missing = [a.arg for a in named if a.annotation is None and a.arg not in ("self", "cls")]
    if function.returns is None and function.name != "__init__":
        missing.append("return")
    return missing


@pytest.mark.parametrize("room", ANNOTATED)
def test_public_functions_are_annotated(room):
    place = PACKAGE / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    bare = [
        f"{path.relative_to(PACKAGE)}:{function.lineno} {name}({', '.join(missing)})"
        for path in files
        for name, function in public_functions(ast.parse(path.read_text(encoding="utf-8")))
        if (missing := missing_annotations(function))
    ]
    assert not bare, "\n".join(bare)


def test_a_missing_annotation_is_found():
    source = (
        "class _Net:\n    def fit(self, X, y: int = 0, *, groups, **more: int):\n        pass\n"
    )
    ((name, function),) = public_functions(ast.parse(source))
    assert (name, missing_annotations(function)) == ("_Net.fit", ["X", "groups", "return"])
