"""Where imports may go: downward only, light at the top, private API in one place."""

import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_speech

PACKAGE = Path(sklearn_speech.__file__).parent

#: Rooms of the package; a file imports only from rooms that stand before its own.
ROOMS = [
    "utils",
    "splits",
    "metrics",
    "filters",
    "audio",
    "datasets",
    "modules",
    "augmentation",
    "feature_extraction",
    "store",
    "base",
    "pretraining",
    "classification",
    "regression",
    "recognition",
    "detection",
    "leakage",
    "model_selection",
    "search",
    "inspection",
    "persistence",
    "export",
    "recipes",
]

FILES = sorted(PACKAGE.rglob("*.py"))

#: The two files that may know the private API of scikit-learn and of Optuna.
PRIVATE_API = {"utils/sklearn_private.py", "utils/optuna_private.py"}

#: Files and folders that may use private names of other libraries all the same, with the reason.
EXEMPT = {
    "base/": "skorch hands private hooks to subclasses; torch exports no base of batch norms",
    "search/": "scikit-learn hands private hooks to subclasses of its searches",
    "modules/masked_norm.py": "torch has no public way to ask whether a module has hooks",
    "persistence/_names.py": "a model file holds qualified names, some of private classes",
}


def dotted(path):
    """Name of the module in a file, as a tuple: ("sklearn_speech", "audio", "_reading")."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path):
    """Every import of a file, wherever it stands: (absolute module name, names, line)."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, [], node.lineno
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                parts = [*package[: len(package) - node.level + 1], *parts]
            yield ".".join(parts), [alias.name for alias in node.names], node.lineno


def rooms_imported(path):
    for module, names, line in imports(path):
        head, *rest = module.split(".")
        if head == "sklearn_speech":
            for room in rest[:1] or names:
                if room != "__version__":  # stands in no room, and loads nothing
                    yield room, line


def test_every_file_lies_in_a_known_room():
    for path in FILES:
        if path != PACKAGE / "__init__.py":
            assert dotted(path)[1] in ROOMS, path


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_only_downward(room):
    upward = []
    for path in FILES:
        if dotted(path)[1:2] != (room,):
            continue
        for other, line in rooms_imported(path):
            # a name that the package shows lazily could come from any room
            if other not in ROOMS or ROOMS.index(other) > ROOMS.index(room):
                upward.append(f"{path.relative_to(PACKAGE)}:{line} imports {other}")
    assert not upward


def is_private(name):
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


#: Attributes with a leading underscore that belong to a public interface of Python.
PUBLIC_UNDERSCORES = {"_fields", "_asdict", "_replace", "_make"}  # of named tuples

#: Objects whose attributes, where they are set, are this package's own.
OWN_OBJECTS = {"self", "cls", "net"}


def attributes_set(tree):
    """Names that a file gives to modules, classes and its own objects."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef)):
            for child in node.body:
                if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                    yield child.name
                targets = getattr(child, "targets", [getattr(child, "target", None)])
                yield from (t.id for t in targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield from (alias.asname or alias.name for alias in node.names)  # modules
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if getattr(node.value, "id", None) in OWN_OBJECTS:
                yield node.attr


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            if isinstance(node.body[0], ast.Expr):
                yield id(node.body[0].value)


def private_imports(tree):
    """Private names that a file imports from other packages, and all that it imports."""
    found, foreign = [], set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and not node.level:
            foreign |= {alias.asname or alias.name for alias in node.names}
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        if names and names[0] != "sklearn_speech":
            found += [(node.lineno, f"import of {name}") for name in names if is_private(name)]
    return found, foreign


def private_names(tree, defined):
    """Uses of private names that are not among those defined: (line, what is used).

    Seen are imports, attributes, names given to `getattr` and its like, dotted names of
    private modules in strings, and two ways to a class that is not exported:
    ``Public.__mro__[1]`` and ``type(public_function(...))``.
    """
    found, foreign = private_imports(tree)
    yield from found
    skipped = set(docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if is_private(node.attr) and node.attr not in defined | PUBLIC_UNDERSCORES:
                yield node.lineno, ast.unparse(node)
            if node.attr in ("__mro__", "__bases__") and getattr(node.value, "id", "") in foreign:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first, second = [*node.args, None, None][:2]
            if node.func.id in ("getattr", "hasattr", "setattr", "delattr"):
                name = getattr(second, "value", None)
                if isinstance(name, str) and is_private(name) and name not in defined:
                    yield node.lineno, ast.unparse(node)
            if node.func.id == "type" and isinstance(first, ast.Call):
                if getattr(first.func, "id", None) in foreign:
                    yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = re.search(r"\b(sklearn|skorch|optuna)(\.\w+)*\._\w+", node.value)
            if named and id(node) not in skipped:
                yield node.lineno, repr(named[0])


@functools.cache
def trees():
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


@functools.cache
def defined_names():
    return {name for tree in trees().values() for name in attributes_set(tree)}


def uses_of_private_names(path):
    return [
        f"{path.relative_to(PACKAGE).as_posix()}:{line} {what}"
        for line, what in private_names(trees()[path], defined_names())
    ]


def test_private_names_of_other_libraries_stand_in_their_two_files():
    found = []
    for path in FILES:
        place = path.relative_to(PACKAGE).as_posix()
        if place not in PRIVATE_API and not place.startswith(tuple(EXEMPT)):
            found += uses_of_private_names(path)
    assert not found


@pytest.mark.parametrize("place", EXEMPT)
def test_every_exemption_from_the_rule_on_private_names_is_needed(place):
    within = [path for path in FILES if path.relative_to(PACKAGE).as_posix().startswith(place)]
    assert any(uses_of_private_names(path) for path in within)


@pytest.mark.parametrize(
    "code",
    [
        "from sklearn.base import _fit_context",
        "from sklearn.utils._param_validation import Interval",
        "import sklearn.metrics._scorer",
        "def f():\n    from optuna._deprecated import x",
        "scorer._score_func",
        "getattr(scorer, '_scorers', None)",
        "from sklearn.model_selection import GridSearchCV\nBase = GridSearchCV.__mro__[1]",
        "from sklearn.metrics import make_scorer\nScorer = type(make_scorer(len))",
        "name = 'sklearn.metrics._scorer'",
    ],
)
def test_each_way_to_a_private_name_is_seen(code):
    assert list(private_names(ast.parse(code), defined_names()))


@pytest.mark.parametrize(
    "code",
    [
        "from __future__ import annotations",
        "class A:\n    def f(self):\n        self._x = 1\n        return self._x",
        '"""Uses sklearn.metrics._scorer."""',
        "from sklearn_speech.audio._reading import read_clip",
        "type(self).__mro__",
    ],
)
def test_names_of_this_package_are_not_taken_for_private_ones_of_others(code):
    tree = ast.parse(code)
    assert not list(private_names(tree, defined_names() | set(attributes_set(tree))))


def is_broad(node):
    if not isinstance(node, ast.ExceptHandler) or isinstance(node.body[-1], ast.Raise):
        return False
    return node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")


def test_the_library_neither_prints_nor_asserts_nor_catches_everything_without_a_reason():
    found = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            printed = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
            broad = is_broad(node) and not re.search(r"noqa: BLE001 +\w", lines[node.lineno - 1])
            if printed or broad or isinstance(node, ast.Assert):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {type(node).__name__}")
    assert not found


def loaded_by(code, *suspects):
    """Which of some modules a fresh interpreter has loaded after running code."""
    code = (
        f"{code}\nimport sys\nsys.stdout.write(repr(sorted(set({suspects!r}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout)


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("torch", "skorch", "optuna", "matplotlib", "sklearn", "scipy", "numpy")
    assert loaded_by("import sklearn_speech; dir(sklearn_speech)", *heavy) == []


def test_rooms_that_read_sound_load_no_torch():
    code = "from sklearn_speech.audio import *; from sklearn_speech.datasets import *"
    assert loaded_by(code, "torch", "skorch", "optuna", "matplotlib") == []


def test_displays_load_matplotlib_only_when_they_draw():
    assert loaded_by("from sklearn_speech.inspection import *", "matplotlib") == []


def stub():
    """Public names of the package and the rooms that they come from."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert node.level == 1
                assert alias.asname == alias.name, "re-exports are written `X as X`"
                yield alias.name, node.module


def test_names_of_the_stub_are_importable_and_exported_by_their_room():
    listed = dict(stub())
    assert set(sklearn_speech.__all__) >= set(listed)
    for name, room in listed.items():
        module = importlib.import_module(f"sklearn_speech.{room}")
        assert getattr(sklearn_speech, name) is getattr(module, name)
        if module.__file__.endswith("__init__.py"):
            assert name in module.__all__


def rooms_with_all():
    for room in ROOMS:
        if (PACKAGE / room / "__init__.py").is_file() or (PACKAGE / f"{room}.py").is_file():
            module = importlib.import_module(f"sklearn_speech.{room}")
            if hasattr(module, "__all__"):
                yield module


def test_all_of_each_room_is_sorted_and_true():
    for module in rooms_with_all():
        assert list(module.__all__) == sorted(module.__all__), module.__name__
        for name in module.__all__:
            assert hasattr(module, name)
