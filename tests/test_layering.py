"""Where imports may go: downward only, light at the top, private API in one place."""

import ast
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
    "recognition",
    "leakage",
    "model_selection",
    "search",
    "inspection",
    "persistence",
    "recipes",
]

FILES = sorted(PACKAGE.rglob("*.py"))

#: The one file that may know scikit-learn's private API.
PRIVATE_API = PACKAGE / "utils" / "validation.py"


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


def test_private_api_of_scikit_learn_is_imported_in_one_file():
    found = []
    for path in FILES:
        for module, names, line in imports(path):
            if module.split(".")[0] != "sklearn" or path == PRIVATE_API:
                continue
            for name in [*module.split(".")[1:], *names]:
                if name.startswith("_"):
                    found.append(f"{path.relative_to(PACKAGE)}:{line} imports {name} of {module}")
    assert not found


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


@pytest.mark.parametrize("room", ["datasets", "audio"])
def test_rooms_that_read_sound_load_no_torch(room):
    code = f"from sklearn_speech.{room} import *"
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
