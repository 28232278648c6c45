"""Complete the docstrings of classes that pass parameters on to their base classes."""

import inspect
import re
from collections.abc import Iterable

_HEADING = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)

#: First line of an entry of a section: names, a colon and a type.
_ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \w+)*) *(?::.*)?$", re.MULTILINE)


def inherit_parameters(cls: type, bases: list[type], names: Iterable[str]) -> None:
    """Document the parameters and attributes that a class has from its base classes.

    The entries of the base classes replace the entry ``**kwargs`` of the section Parameters, and
    complete the section Attributes, if there is one.

    Parameters
    ----------
    cls : type
        The class whose docstring is changed.
    bases : list of type
        The classes that receive the parameters; if several describe a parameter, the first is
        used.
    names : iterable of str
        Names of the parameters of `cls`.
    """
    own = inspect.cleandoc(cls.__doc__ or "")
    if not bases:
        return
    section = _section(own, "Parameters")
    if section is not None and "**kwargs" in _entries(own[slice(*section)]):
        own = _completed(own, "Parameters", bases, set(names))
    if _section(own, "Attributes") is not None:
        own = _completed(own, "Attributes", bases, None)
    cls.__doc__ = own


def _completed(text: str, title: str, bases: list[type], wanted: set[str] | None) -> str:
    """A docstring with the entries of a section of some bases; None wants all of them."""
    start, stop = _section(text, title)
    entries = _entries(text[start:stop])
    entries.pop("**kwargs", None)
    for base in bases:
        inherited = inspect.getdoc(base) or ""
        section = _section(inherited, title)
        if section is None:
            continue
        known = {name for key in entries for name in key.split(", ")}
        for key, entry in _entries(inherited[slice(*section)]).items():
            missing = set(key.split(", ")) - known
            if missing if wanted is None else missing & wanted:
                entries[key] = entry
    return text[:start] + "".join(entries.values()).rstrip("\n") + "\n\n" + text[stop:]


def _section(text, title):
    """Return the start and end of the body of a section, or None if there is none."""
    headings = list(_HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None]):
        if heading[1] == title:
            end = len(text) if following is None else following.start()
            return heading.end() + 1, end
    return None


def _entries(body):
    """Return the entries of a section by the names in their first line."""
    found = list(_ENTRY.finditer(body))
    ends = [*(entry.start() for entry in found[1:]), len(body)]
    return {
        entry[1]: body[entry.start() : end].rstrip("\n") + "\n" for entry, end in zip(found, ends)
    }
