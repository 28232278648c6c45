"""File-name patterns such as ``"{label}/{speaker}_nohash_{take}.wav"``."""

import re
import string
from collections.abc import Mapping

from ..utils.text import normalize_name

#: Names that the Bunch uses itself.
RESERVED = frozenset({"data", "target", "sample_rate", "unmatched", "DESCR", "license"})


class FilePattern:
    """Reads fields from relative paths, and reports ambiguous paths.

    Parameters
    ----------
    pattern : str or re.Pattern
        In a str, ``{name}`` matches one or more characters other than "/", ``*`` matches any
        characters other than "/", and ``**/`` at the beginning matches folders of any depth. A
        name that occurs twice must match the same text. The file-name extension is matched in
        any case. A compiled regular expression with named groups must match the whole relative
        path.

    Attributes
    ----------
    fields : list of str
        Names of the fields, in order.

    Raises
    ------
    TypeError, ValueError
        If the pattern has no ``{label}``, or is itself ambiguous.
    """

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        self.pattern = pattern
        if isinstance(pattern, re.Pattern):
            self._regexes = [pattern]
        elif isinstance(pattern, str):
            self._tokens = _tokens(normalize_name(pattern))
            # all possible matches lie between the lazy and the greedy one
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
                f"pattern={_shown(pattern)}: fields {taken} have names that the result uses "
                "itself; choose others"
            )

    def match(self, path: str) -> tuple[dict[str, str] | None, str | None]:
        """Read the fields of one relative path.

        Parameters
        ----------
        path : str
            With "/" between folders.

        Returns
        -------
        fields : dict of str to str, or None
            In Unicode form NFC, because the form of a file name depends on the system that
            created the file. None if the pattern does not match.
        problem : str or None
            The reason if the pattern matches in more than one way.
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
            # only the text of a * differs, so there may be other matches between these two
            last = next(filter(None, (self._other(path, *field) for field in first.items())), first)
        if first != last:
            name = next(name for name in self.fields if first[name] != last[name])
            return None, f"{name} may be {first[name]!r} or {last[name]!r}"
        if None in first.values():
            return None, None
        return first, None

    def _other(self, path: str, name: str, value: str) -> dict[str, str] | None:
        """Return the fields of a match in which `name` is not `value`, or None."""
        match = _compile(self._tokens, "", {name: _other_than(value)}).fullmatch(path)
        return match.groupdict() if match else None


def _other_than(value: str) -> str:
    """Return a regular expression that matches any text except `value`."""
    shorter = [re.escape(value[:n]) for n in range(1, len(value))]
    this = re.escape(value)
    return "|".join([f"(?!{this})[^/]+", f"{this}[^/]+", *shorter])


def _tokens(pattern: str) -> list[tuple[str, str | None]]:
    """Return checked literals as (text, None) and fields as ("", name)."""
    shown = _shown(pattern)
    try:
        parsed = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"pattern={shown}: {error}") from error
    tokens: list[tuple[str, str | None]] = []
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
                f"pattern={shown}: no text separates {{{tokens[-1][1]}}} from {{{name}}}; "
                "put text between them, or pass a compiled regular expression"
            )
        tokens.append(("", name))
    folders = pattern.replace("\\", "/").split("/")
    if "\\" in pattern or folders[0] == "" or ".." in folders or "." in folders:
        raise ValueError(
            f"pattern={shown}: expected a path relative to the folder, with '/' between folders"
        )
    return tokens


def _compile(
    tokens: list[tuple[str, str | None]], lazy: str, kinds: Mapping[str, str] | None = None
) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    kinds = kinds or {}
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


def _escape(literal: str, lazy: str) -> str:
    return f"([^/]*{lazy})".join(re.escape(text) for text in literal.split("*"))


def _shown(pattern: str | re.Pattern[str]) -> str:
    return repr(pattern.pattern if isinstance(pattern, re.Pattern) else pattern)
