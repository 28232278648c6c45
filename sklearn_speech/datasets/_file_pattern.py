"""File-name patterns such as ``"{label}/{speaker}_nohash_{take}.wav"``."""

import re
import string

from ..utils.text import normalize_name

#: Names that the Bunch itself uses.
RESERVED = frozenset({"data", "target", "sample_rate", "unmatched", "DESCR", "license"})


class FilePattern:
    """Reads fields out of relative paths, and never guesses.

    Parameters
    ----------
    pattern : str or re.Pattern
        In a str, ``{name}`` stands for one or more characters other than "/",
        ``*`` for any characters other than "/", and ``**/`` at the beginning
        for folders of any depth. A name that occurs twice must stand for the
        same text. The file-name extension is matched in any case. A compiled
        regular expression with named groups must match the whole relative path.

    Attributes
    ----------
    fields : list of str
        Names of the fields, in order.

    Raises
    ------
    TypeError, ValueError
        When the pattern has no ``{label}``, or cannot be read in one way only.
    """

    def __init__(self, pattern):
        self.pattern = pattern
        if isinstance(pattern, re.Pattern):
            self._regexes = [pattern]
        elif isinstance(pattern, str):
            self._tokens = _tokens(normalize_name(pattern))
            # every reading is between the shortest-first and the longest-first one
            self._regexes = [_compile(self._tokens, lazy) for lazy in ("?", "")]
        else:
            raise TypeError(f"pattern={pattern!r}: expected a str or a compiled regular expression")
        self.fields = list(self._regexes[0].groupindex)
        if "label" not in self.fields:
            raise ValueError(
                f"pattern={_shown(pattern)} has no field {{label}}; its fields: {self.fields}"
            )
        if taken := sorted(RESERVED.intersection(self.fields)):
            raise ValueError(
                f"pattern={_shown(pattern)}: fields {taken} have names that the result needs "
                "itself; choose others"
            )

    def match(self, path):
        """Fields of one relative path.

        Parameters
        ----------
        path : str
            With "/" between folders.

        Returns
        -------
        fields : dict of str to str, or None
            None when the pattern does not match. In Unicode's form NFC: the same name
            may be written in two ways, which look alike and depend on the system that
            made the file.
        problem : str or None
            Why there are no fields, when the pattern fits in more ways than one.
        """
        readings = []
        path = normalize_name(path)
        for regex in self._regexes:
            match = regex.fullmatch(path)
            if match is None:
                return None, None
            readings.append(match)
        first, last = (reading.groupdict() for reading in (readings[0], readings[-1]))
        if first == last and readings[0].groups() != readings[-1].groups():
            # only what * stands for differs, so that there may be readings between these two
            last = next(filter(None, (self._other(path, *field) for field in first.items())), first)
        if first != last:
            name = next(name for name in self.fields if first[name] != last[name])
            return None, f"{name} may be {first[name]!r} or {last[name]!r}"
        if None in first.values():
            return None, None
        return first, None

    def _other(self, path, name, value):
        """The fields of a reading in which one of them is not `value`, None where none is."""
        match = _compile(self._tokens, "", {name: _other_than(value)}).fullmatch(path)
        return match and match.groupdict()


def _other_than(value):
    """A regular expression of all texts but one."""
    shorter = [re.escape(value[:n]) for n in range(1, len(value))]
    this = re.escape(value)
    return "|".join([f"(?!{this})[^/]+", f"{this}[^/]+", *shorter])


def _tokens(pattern):
    """Literals as (text, None) and fields as (None, name), after checking them."""
    shown = _shown(pattern)
    try:
        parsed = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"pattern={shown}: {error}") from error
    tokens = []
    for literal, name, spec, conversion in parsed:
        if literal:
            tokens.append((literal, None))
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(
                f"pattern={shown}: fields are names in braces, such as {{speaker}}, not "
                f"{{{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}"
            )
        if tokens and tokens[-1][1] is not None:
            raise ValueError(
                f"pattern={shown}: nothing tells where {{{tokens[-1][1]}}} ends and {{{name}}} "
                "begins; put text between them, or pass a compiled regular expression"
            )
        tokens.append((None, name))
    folders = pattern.replace("\\", "/").split("/")
    if "\\" in pattern or folders[0] == "" or ".." in folders or "." in folders:
        raise ValueError(
            f"pattern={shown}: expected a path relative to the folder, with '/' between folders"
        )
    return tokens


def _compile(tokens, lazy, kinds=None):
    parts, seen, kinds = [], set(), kinds or {}
    for i, (literal, name) in enumerate(tokens):
        if name is not None:
            kind = kinds.get(name, f"[^/]+{lazy}")
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{kind})")
            seen.add(name)
            continue
        if i == 0 and literal.startswith("**/"):
            parts.append("(?:[^/]+/)*")
            literal = literal[3:]
        stem, dot, extension = (
            literal.rpartition(".") if i == len(tokens) - 1 else (literal, "", "")
        )
        parts += [_escape(stem, lazy)]
        if dot:
            parts += [f"(?i:{_escape(dot + extension, lazy)})"]
        elif extension:
            parts += [_escape(extension, lazy)]
    return re.compile("".join(parts))


def _escape(literal, lazy):
    return f"([^/]*{lazy})".join(re.escape(text) for text in literal.split("*"))


def _shown(pattern):
    return repr(pattern.pattern if isinstance(pattern, re.Pattern) else pattern)
