"""Docstrings of everything public: numpydoc, complete, with shapes and units."""

import importlib.util
import inspect
import re
from functools import cached_property

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from skorch import NeuralNet

ROOMS = (
    "audio",
    "base",
    "classification",
    "datasets",
    "detection",
    "export",
    "feature_extraction",
    "filters",
    "inspection",
    "metrics",
    "model_selection",
    "augmentation",
    "persistence",
    "pretraining",
    "recipes",
    "recognition",
    "regression",
    "splits",
)


def public_objects():
    """Public classes and functions of all rooms, by their name."""
    found = {}
    for room in ROOMS:
        name = f"sklearn_speech.{room}"
        if importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        names = getattr(module, "__all__", None)
        if names is None:
            names = [
                n
                for n, thing in vars(module).items()
                if not n.startswith("_") and getattr(thing, "__module__", None) == name
            ]
        for n in names:
            thing = getattr(module, n)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found[f"{thing.__module__}.{n}"] = thing
    return found


OBJECTS = public_objects()

#: Methods that scikit-learn writes, or describes for all estimators alike.
OF_SCIKIT_LEARN = re.compile(
    r"set_\w+_request|set_output|get_params|set_params|get_metadata_routing"
)

#: Methods of skorch's that a user of the library calls; what else overrides one of skorch's
#: is an extension point that skorch documents.
CALLED_BY_USERS = re.compile(r"(partial_)?fit|predict(_log)?(_proba)?|score|forward_iter")

#: A class that users do not construct says which function makes it.
MAKER = re.compile(r":func:`(\w+)`")


def maker_of(thing):
    """The public function that makes an object of this class, where the first lines name one."""
    found = MAKER.search("\n".join(inspect.getdoc(thing).split("\n")[:3]))
    if not inspect.isclass(thing) or found is None:
        return None
    return next((o for name, o in OBJECTS.items() if name.endswith("." + found[1])), None)


class Member:
    """A public class, or a function or method with a docstring of its own."""

    def __init__(self, name, thing, owner=None):
        self.name, self.thing, self.owner = name, thing, owner

    @cached_property
    def doc(self):
        if inspect.isclass(self.thing):
            return ClassDoc(self.thing, config={"show_class_members": False})
        return FunctionDoc(self.thing)

    @cached_property
    def signature(self):
        """Names of parameters, those of ``*args`` and ``**kwargs`` left out."""
        target = self.thing.__init__ if inspect.isclass(self.thing) else self.thing
        if target is object.__init__:
            return []
        return [
            p.name
            for p in inspect.signature(target).parameters.values()
            if p.name not in ("self", "cls") and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]

    @cached_property
    def documented(self):
        """Parameters by name, those of base classes included where ``**kwargs`` points there."""
        found = {}
        docs = [self.doc]
        if inspect.isclass(self.thing):
            docs += [
                ClassDoc(base, config={"show_class_members": False})
                for base in self.thing.__mro__[1:]
                if base.__module__.startswith("sklearn_speech")
            ]
        for doc in docs:
            made = inspect.isclass(self.thing) and maker_of(self.thing)
            for parameter in doc["Parameters"] + (doc["Attributes"] if made else []):
                for name in re.split(r"\s*,\s*", parameter.name):
                    found.setdefault(name.lstrip("*"), parameter)
        return found


def members():
    for name, thing in OBJECTS.items():
        yield Member(name, thing)
        if inspect.isclass(thing):
            for attribute, function in inspect.getmembers(thing, inspect.isfunction):
                if attribute.startswith("_") or OF_SCIKIT_LEARN.fullmatch(attribute):
                    continue
                if hasattr(NeuralNet, attribute) and not CALLED_BY_USERS.fullmatch(attribute):
                    continue
                if (function.__module__ or "").startswith("sklearn_speech"):
                    yield Member(f"{name}.{attribute}", function, owner=thing)


MEMBERS = {member.name: member for member in members()}

# a method that several classes inherit is looked at once
SEEN = {}
for member in MEMBERS.values():
    SEEN.setdefault(member.thing, member)

each = pytest.mark.parametrize(
    "member", SEEN.values(), ids=lambda member: member.name.removeprefix("sklearn_speech.")
)

ARRAY = re.compile(r"\b(array-like|ndarray|Tensor|object array)\b")
SHAPE = re.compile(r"shape|\(n_\w+|0-d|scalar|see |of a|or array-like|\bof (str|int|bool)", re.I)

#: Names of quantities, and words that give their unit.
UNITS = {
    "sample_rate": r"\bHz\b",
    "fmin": r"\bHz\b",
    "fmax": r"\bHz\b",
    "n_fft": r"samples",
    "win_length": r"samples|n_fft",
    "hop_length": r"[Ss]amples",
    "duration": r"\bs\b|seconds",
    "top_db": r"dB",
    "snr_db": r"dB",
    "gain_db": r"dB",
}


@each
def test_docstring_begins_with_a_summary_line(member):
    text = inspect.getdoc(member.thing)
    assert text, f"{member.name} has no docstring"
    summary = text.split("\n")[0]
    assert summary.endswith((".", "?")) and len(summary) < 100


@each
def test_every_parameter_is_documented_and_nothing_else(member):
    missing = [name for name in member.signature if name not in member.documented]
    assert not missing, f"{member.name} does not document {missing}"
    own = {
        name.lstrip("*")
        for parameter in member.doc["Parameters"]
        for name in re.split(r"\s*,\s*", parameter.name)
    }
    target = member.thing.__init__ if inspect.isclass(member.thing) else member.thing
    known = set(member.signature) | {p.name for p in inspect.signature(target).parameters.values()}
    known |= {"kwargs", "unsupported"}
    assert own <= known, f"{member.name} documents {sorted(own - known)}, which it does not take"


@each
def test_arrays_have_shapes(member):
    for section in ("Parameters", "Returns", "Yields", "Attributes"):
        for parameter in member.doc[section] if section in member.doc._parsed_data else []:
            said = parameter.type + " " + " ".join(parameter.desc)
            if ARRAY.search(parameter.type):
                assert SHAPE.search(said), (
                    f"{member.name}: {section} {parameter.name!r} ({parameter.type}) has no shape"
                )


@each
def test_times_and_frequencies_have_units(member):
    for parameter in member.doc["Parameters"]:
        for name in re.split(r"\s*,\s*", parameter.name):
            said = parameter.type + " " + " ".join(parameter.desc)
            if name in UNITS and "See " not in said and "see " not in said:
                assert re.search(UNITS[name], said), f"{member.name}: {name} has no unit"


@each
def test_what_comes_back_is_described(member):
    if inspect.isclass(member.thing):
        return
    source = inspect.getsource(member.thing)
    gives = re.search(r"^\s+return +(?!None)\S", source, re.M)
    if gives:
        yields = member.doc["Yields"] or re.search(r"^\s+yield ", source, re.M)
        assert member.doc["Returns"] or yields, f"{member.name} has no section Returns"


@pytest.mark.parametrize("name", OBJECTS, ids=lambda n: n.removeprefix("sklearn_speech."))
def test_public_things_have_an_example(name):
    thing = OBJECTS[name]
    if inspect.isclass(thing):
        derived = [o for o in OBJECTS.values() if inspect.isclass(o) and issubclass(o, thing)]
        if len(derived) > 1 or name.rpartition(".")[2].startswith("Base"):
            return  # a base class: what derives from it has examples
        if issubclass(thing, Exception):
            return
    assert ">>>" in inspect.getdoc(maker_of(thing) or thing), f"{name} has no example"
