"""What a file of ``to_onnx`` says about itself, in the metadata of the ONNX standard."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Names the metadata of this library; a file without it was written by something else.
FORMAT_KEY, FORMAT = "sklearn_speech.format", "1"

#: What an estimator answers, and the outputs of its file in order.
KINDS = {
    "classifier": ("probabilities",),
    "classifier without probabilities": ("scores",),
    "multilabel classifier": ("probabilities",),
    "regressor": ("numbers",),
    "autoencoder": ("codes", "spectrograms"),
    "recognizer": ("log_posteriors",),
    "transformer": ("features",),
}
#: A further, last output of classifiers whose labels are not those of the largest answers.
DECISIONS = "decisions"
#: Name of the input of every file.
INPUT = "waveforms"

_WITH_SCORES = ("classifier", "classifier without probabilities")
_WITH_LABELS = (*_WITH_SCORES, "recognizer")
#: What files of the first versions do not have.
_OPTIONAL = {"decides"}
_MAX_LABELS = 100_000


@dataclass(frozen=True)
class Header:
    """Metadata of a file.

    Parameters
    ----------
    kind : str
        A key of :data:`KINDS`.
    sample_rate : float
        Of the waveforms, in Hz.
    labels : list
        Classes in the order of the probabilities; phones without blank.
    label_dtype : str
        Of the classes: "str", "object", "bool", or a numpy name of numbers.
    n_times : int, default=None
        Samples of every clip, where the network takes one length only.
    least_times : int
        Samples of the shortest clip.
    flat : bool
        Whether a regressor answers one number a clip, not a row of them.
    decides : bool
        Whether the labels are those of the largest numbers in the output "decisions", and not of
        the largest answers.
    decoder : str
        How a recogniser finds phones: "greedy", or what only Python does.
    estimator : str
        Name of the class that was exported, for people.
    """

    kind: str
    sample_rate: float
    labels: list[Any] = field(default_factory=list)
    label_dtype: str = "str"
    n_times: int | None = None
    least_times: int = 1
    flat: bool = False
    decoder: str = "greedy"
    estimator: str = ""
    decides: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs of the file."""
        return (*KINDS[self.kind], DECISIONS) if self.decides else KINDS[self.kind]

    def to_metadata(self) -> dict[str, str]:
        """As strings, to be read by programs in any language."""
        values = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in vars(self).items()
        }
        return {FORMAT_KEY: FORMAT, **values}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "Header":
        """Read and check what a file says.

        Raises
        ------
        ValueError
            When it is missing, of another version, or makes no sense.
        """
        version = metadata.get(FORMAT_KEY)
        if version is None:
            raise ValueError("it is an ONNX file, but not one that to_onnx wrote")
        if version != FORMAT:
            raise ValueError(
                f"it has format {version!r:.20}, this version of sklearn_speech reads {FORMAT!r}"
            )
        fields: dict[str, Any] = {}
        for name, kind in cls.__annotations__.items():
            if name not in metadata:
                if name in _OPTIONAL:
                    continue
                raise ValueError(f"its metadata lack {name!r}")
            fields[name] = metadata[name] if kind is str else _parsed(name, metadata[name])
        header = cls(**fields)
        header._check()
        return header

    def _check(self) -> None:
        problems = {
            "kind": self.kind in KINDS,
            "sample_rate": _is_number(self.sample_rate) and 0 < self.sample_rate < 1e9,
            "labels": isinstance(self.labels, list) and len(self.labels) <= _MAX_LABELS,
            "n_times": self.n_times is None or _is_count(self.n_times),
            "least_times": _is_count(self.least_times),
            "flat": isinstance(self.flat, bool),
            "decides": isinstance(self.decides, bool)
            and (not self.decides or self.kind in _WITH_SCORES),
        }
        for name, is_right in problems.items():
            if not is_right:
                raise ValueError(f"its metadata have {name}={getattr(self, name)!r:.60}")
        if self.kind in _WITH_LABELS:
            self.label_array()

    def label_array(self) -> np.ndarray:
        """The labels as an array of their own dtype.

        Raises
        ------
        ValueError
            When they are missing, repeated, or of another kind than their dtype.
        """
        names = {"str": str, "object": str, "bool": bool}
        expected: Any = names.get(self.label_dtype, (int, float))
        if not self.labels or any(
            not isinstance(label, expected) or (isinstance(label, bool) != (expected is bool))
            for label in self.labels
        ):
            raise ValueError(f"its labels are no list of {self.label_dtype!r:.20}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("its labels are not all different")
        if self.label_dtype in ("str", "object", "bool"):
            return np.array(self.labels, dtype=self.label_dtype)
        if self.label_dtype not in _NUMBERS:
            raise ValueError(f"its labels have the unknown dtype {self.label_dtype!r:.20}")
        try:
            return np.array(self.labels, dtype=self.label_dtype)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"its labels are no {self.label_dtype}: {error}") from error


_NUMBERS = {f"{kind}int{bits}" for kind in ("", "u") for bits in (8, 16, 32, 64)}
_NUMBERS |= {"float16", "float32", "float64"}


def labels_of(classes: np.ndarray) -> tuple[list[Any], str]:
    """Classes as a list for JSON, and their dtype.

    Raises
    ------
    TypeError
        When they are neither strings, numbers nor truth values.
    """
    labels = classes.tolist()
    if classes.dtype.kind == "U":
        return labels, "str"
    if classes.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        return labels, "object"
    if classes.dtype.kind == "b" or classes.dtype.name in _NUMBERS:
        return labels, classes.dtype.name
    raise TypeError(
        f"the classes have dtype {classes.dtype}, such as {labels[0]!r:.40}; a file holds strings, "
        "numbers or truth values"
    )


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its metadata have {name}={text!r:.60}, which is no JSON") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**40
