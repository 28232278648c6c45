"""Read model cards from files, without torch."""

import json
import os
from typing import Any

from ._container import as_file, parse, read_metadata
from ._model_card import ModelCard


def read_model_card(path: str | os.PathLike[str]) -> ModelCard:
    """Show what a file of :func:`save` holds and was trained on, without loading the model.

    The whole file is checked against its checksum; nothing but the card is kept, and
    neither torch nor scikit-learn is imported.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    card : ModelCard
        A notebook shows it as a table.

    Raises
    ------
    ValueError
        When the file is damaged or not from ``save``.

    See Also
    --------
    load : Reads the model itself.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.svm import SVC
    >>> from sklearn_speech.persistence import ModelCard, read_model_card, save
    >>> clf = SVC(C=10).fit([[0], [1]], ["no", "yes"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "svc.safetensors")
    ...     save(clf, path, card=ModelCard(n_clips=2))
    ...     card = read_model_card(path)
    >>> card.estimator, card.classes, card.n_clips
    ('SVC(C=10)', ['no', 'yes'], 2)
    """
    path = as_file(path)
    try:
        metadata = read_metadata(path)
        card = parse(metadata["card"])
        return ModelCard(**card, versions=parse(metadata["versions"]))
    except (LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} has no model card: it is damaged or was not written by sklearn_speech's "
            f"save: {error!s:.500}"
        ) from error


def write_card(card: ModelCard) -> str:
    """The text of a card in the header of a file; versions are stored beside it."""
    known = {name: value for name, value in card.as_dict().items() if name != "versions"}
    return json.dumps(known, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, everything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
