"""Pages of the API reference: one for each package, and one for each public name."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from skorch import NeuralNet
from sphinx.pycode import ModuleAnalyzer

import sklearn_speech

from .files import write_folder

#: Packages for developers of this library, without a stable interface.
INTERNAL = ("utils",)

#: Methods that scikit-learn writes or describes for all estimators.
COMMON = re.compile(r"get_metadata_routing|get_params|set_output|set_params|set_\w+_request")

#: Methods of skorch that users call. The others are extension points, which skorch documents.
CALLED_BY_USERS = re.compile(r"(partial_)?fit|predict(_log)?(_proba)?|score|forward_iter")


def packages():
    """List the names of the packages that have public names, those of data first."""
    names = [info.name for info in pkgutil.iter_modules(sklearn_speech.__path__)]
    public = []
    for name in sorted(names):
        if name.startswith("_") or name in INTERNAL:
            continue
        if getattr(importlib.import_module(f"sklearn_speech.{name}"), "__all__", None):
            public.append(name)
    return public


def public_names():
    """Map every public name, such as "audio.PadOrTrim", to the name that has its page.

    A name may be exported by several packages. Its page stands with the package that
    contains its file or, if that package does not export it, with the first that does.
    """
    exported = {}
    for package in packages():
        module = importlib.import_module(f"sklearn_speech.{package}")
        for name in module.__all__:
            exported.setdefault((name, id(getattr(module, name))), []).append(package)
    homes = {}
    for (name, _), owners in exported.items():
        thing = getattr(importlib.import_module(f"sklearn_speech.{owners[0]}"), name)
        file = getattr(thing, "__module__", "") or ""
        within = [owner for owner in owners if f"{file}.".startswith(f"sklearn_speech.{owner}.")]
        home = (within or owners)[0]
        for owner in owners:
            homes[f"{owner}.{name}"] = f"{home}.{name}"
    return homes


def write_api_pages(folder):
    """Write the pages below `folder`."""
    homes = public_names()
    texts = {"index.rst": _index(packages())}
    for package in packages():
        texts[f"{package}.rst"] = _package_page(package, homes)
    for home in sorted(set(homes.values())):
        texts[f"names/sklearn_speech.{home}.rst"] = _object_page(home)
    write_folder(Path(folder), texts)


def _title(text, mark="="):
    return f"{text}\n{mark * len(text)}\n"


def _summary(thing):
    return (inspect.getdoc(thing) or "").split("\n")[0]


def comment_of(package, name):
    """Return the comment ``#:`` above a constant, from the file of `package` that defines it."""
    module = importlib.import_module(f"sklearn_speech.{package}")
    for info in pkgutil.iter_modules(getattr(module, "__path__", [])):
        comments = ModuleAnalyzer.for_module(f"{module.__name__}.{info.name}").find_attr_docs()
        if ("", name) in comments:
            return " ".join(comments["", name]).strip()
    return ""


def _index(names):
    rows = "".join(
        f"   * - :doc:`{name} <{name}>`\n"
        f"     - {_summary(importlib.import_module(f'sklearn_speech.{name}'))}\n"
        for name in names
    )
    entries = "".join(f"   {name} <{name}>\n" for name in names)
    return (
        _title("API reference")
        + "\nMost names can be imported from ``sklearn_speech`` itself, as in\n"
        "``from sklearn_speech import MelSpectrogram``. Importing the package loads neither torch "
        "nor\nOptuna; they are loaded when a name that needs them is used.\n\n"
        ".. list-table::\n   :header-rows: 1\n   :widths: 25 75\n\n"
        "   * - package\n     - contents\n" + rows + "\n.. toctree::\n   :hidden:\n\n" + entries
    )


def _package_page(package, homes):
    module = importlib.import_module(f"sklearn_speech.{package}")
    own, elsewhere = {}, []
    for name in sorted(module.__all__, key=str.lower):
        home = homes[f"{package}.{name}"]
        if home == f"{package}.{name}":
            own.setdefault(_kind(getattr(module, name)), []).append(name)
        else:
            elsewhere.append(f":doc:`{name} <names/sklearn_speech.{home}>`")
    full = f"sklearn_speech.{package}"
    parts = [_title(full), f".. automodule:: {full}\n   :no-members:\n"]
    for kind in ("Classes", "Functions"):
        if kind in own:
            rows = "".join(f"   {name}\n" for name in own[kind])
            parts += [
                _title(kind, "-"),
                f".. currentmodule:: {full}\n",
                f".. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{rows}",
            ]
    if "Constants" in own:
        rows = "".join(
            f"   * - :data:`{name}`\n     - {comment_of(package, name)}\n"
            for name in own["Constants"]
        )
        pages = "".join(f"   names/{full}.{name}\n" for name in own["Constants"])
        parts += [
            _title("Constants", "-"),
            f".. list-table::\n   :widths: 30 70\n\n{rows}",
            f".. toctree::\n   :hidden:\n\n{pages}",
        ]
    if elsewhere:
        parts.append("Also exported here: " + ", ".join(elsewhere) + ".\n")
    return "\n".join(parts)


def _kind(thing):
    if inspect.isclass(thing):
        return "Classes"
    return "Functions" if inspect.isroutine(thing) else "Constants"


def _object_page(home):
    package, _, name = home.rpartition(".")
    full = f"sklearn_speech.{package}"
    thing = getattr(importlib.import_module(full), name)
    parts = [_title(name), f".. currentmodule:: {full}\n"]
    kind = _kind(thing)
    if kind == "Classes":
        own, inherited = _methods(thing)
        members = f"   :members: {', '.join(own)}\n" if own else "   :no-members:\n"
        parts.append(f".. autoclass:: {name}\n{members}   :member-order: bysource\n")
        if inherited:
            names = ", ".join(f"``{method}``" for method in inherited)
            parts.append(f".. rubric:: Inherited from skorch and scikit-learn\n\n{names}\n")
    elif kind == "Functions":
        parts.append(f".. autofunction:: {name}\n")
    else:
        parts.append(f".. py:data:: {name}\n\n   {comment_of(package, name)}\n")
    if hasattr(sklearn_speech, name):
        uses = f"sklearn_speech.{name} {full}.{name}"
        parts.append(f".. minigallery:: {uses}\n   :add-heading: Examples with {name}\n")
    return "\n".join(parts)


def _methods(cls):
    """Return public methods written in this library, and those of skorch and scikit-learn."""
    own, inherited = [], []
    for name in sorted(dir(cls)):
        if name.startswith("_"):
            continue
        found = inspect.getattr_static(cls, name)
        function = getattr(found, "__func__", found)
        function = getattr(function, "fget", None) or getattr(function, "fn", None) or function
        function = inspect.unwrap(function) if callable(function) else function
        if not inspect.isfunction(function):
            continue
        written_here = (function.__module__ or "").startswith("sklearn_speech")
        common = COMMON.fullmatch(name) or (
            hasattr(NeuralNet, name) and not CALLED_BY_USERS.fullmatch(name)
        )
        if written_here and inspect.getdoc(function) and not common:
            own.append(name)
        else:
            inherited.append(name)
    return own, inherited
