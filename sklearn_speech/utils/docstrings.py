"""Complete the docstrings of classes that pass parameters on to their base classes."""

import inspect
import re
from collections.abc import Iterable

_HEADING = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)

#: First line of an entry of a section: names, a colon and a type.
_ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \w+)*) *(?::.*)?$", re.MULTILINE)


def inherit_parameters(cls: type, bases: list[type], names: Iterable[str]) -> None:
    """Document the parameters that a class passes on to its base classes.

    The entries of the base classes replace the entry ``**kwargs`` of the section Parameters.

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
    section = _section(own, "Parameters")
    if section is None:
        return
    start, stop = section
    entries = _entries(own[start:stop])
    if "**kwargs" not in entries or not bases:
        return
    del entries["**kwargs"]
    for base in bases:
        inherited = inspect.getdoc(base) or ""
        section = _section(inherited, "Parameters")
        if section is None:
            continue
        wanted = set(names) - {name for key in entries for name in key.split(", ")}
        for key, text in _entries(inherited[slice(*section)]).items():
            if wanted.intersection(key.split(", ")):
                entries[key] = text
    cls.__doc__ = own[:start] + "".join(entries.values()).rstrip("\n") + "\n\n" + own[stop:]


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
