"""Checks of the augmentations of an estimator."""

from collections.abc import Callable, Sequence
from typing import Any


def check_augmentations(augment: Sequence[Any], problem_of: Callable[[Any], str | None]) -> None:
    """Check that all objects are augmentations, with valid parameters, that suit the estimator.

    Parameters
    ----------
    augment : sequence of augmentations
    problem_of : callable
        Takes an augmentation, and returns None or what is wrong with it: the rest of a sentence
        that begins with the augmentation.

    Raises
    ------
    ValueError
        When one of them is no augmentation, does not suit, or has an invalid parameter.
    """
    for i, augmentation in enumerate(augment):
        if isinstance(augmentation, type):
            called = augmentation.__name__
            raise ValueError(f"augment[{i}] is the class {called}: expected an object, {called}()")
        domain = getattr(augmentation, "domain", None)
        problem: str | None
        if domain not in ("waveform", "spectrogram") or not hasattr(augmentation, "apply"):
            problem = ": expected an augmentation of sklearn_speech.augmentation, with a domain"
        else:
            problem = problem_of(augmentation)
        if problem is not None:
            raise ValueError(f"augment[{i}]={augmentation!r}{problem}")
        augmentation.validate()


def augmentations_by_domain(net: Any) -> tuple[list[Any], list[Any]]:
    """Check the augmentations of a net, and divide them into waveform and spectrogram ones.

    Parameters
    ----------
    net : BaseSpeechNet

    Returns
    -------
    on_waveforms, on_spectrograms : list of augmentations

    Raises
    ------
    ValueError
        When one does not suit the input of the net.
    """
    takes_waveforms = net.frontend is not None or net.reads == "waveform"
    name = type(net).__name__

    def problem_of(augmentation: Any) -> str | None:
        if augmentation.domain == "waveform" and not takes_waveforms:
            return (
                f" changes waveforms, but {name} takes spectrograms; set frontend= to put the "
                "front end inside"
            )
        if augmentation.domain == "spectrogram" and net.reads == "waveform":
            return f" changes spectrograms, but {name} takes waveforms"
        if hasattr(augmentation, "mix") and not net.mixes_targets:
            return f" mixes targets, which {name} does not support"
        if augmentation.domain == "spectrogram":
            expected = getattr(augmentation, "scaling", None)
            scaling = getattr(net.frontend, "scaling", expected)
            if expected is not None and expected != scaling:
                return (
                    f" expects spectrograms with scaling={expected!r}, but frontend has "
                    f"scaling={scaling!r}; use the same for both"
                )
        return None

    augment = net.augment or []
    check_augmentations(augment, problem_of)
    return (
        [augmentation for augmentation in augment if augmentation.domain == "waveform"],
        [augmentation for augmentation in augment if augmentation.domain == "spectrogram"],
    )
