"""Tables of measured results that pages of the guide include."""

import json
from pathlib import Path

from .files import write_folder
from .tables import list_table

#: Columns of the results of pretrained recipes that the guide shows, as far as a table has them.
_PRETRAINED = (
    "recipe",
    "learned before",
    "learned before or beside",
    "voices known",
    "mean",
    "worst speaker",
)

#: Columns of the transfer results that the guide shows, and their heads.
_TRANSFER = {
    "speakers": "training speakers",
    "clips": "clips",
    "from scratch": "from scratch",
    "source, fine-tuned": "from a network for other words",
}


def write_guide_tables(source, folder):
    """Write one file for each table to `folder`, from the results in `source`."""
    texts = {
        "pretrained.rst": _pretrained(_tables(source, "pretrained")),
        "speakers.rst": _speakers(_tables(source, "transfer"), _tables(source, "voices")),
    }
    write_folder(Path(folder), texts)


def _tables(source, name):
    """Tables of a report by caption; none if its benchmark has not been run."""
    path = Path(source) / f"{name}.json"
    return json.loads(path.read_text())["tables"] if path.is_file() else {}


def _pretrained(tables):
    """Scores of the recipes; tables of their settings stay on the page of the results."""
    parts = [
        f"**{caption}: accuracy**\n\n{list_table([_chosen(row) for row in rows])}"
        for caption, rows in tables.items()
        if "recipe" in rows[0] and "mean" in rows[0]
    ]
    if not parts:
        return "``python benchmarks/pretrained.py`` measures the recipes on held-out speakers.\n"
    return "\n".join(parts) + "\n:doc:`/results/pretrained` has all measurements.\n"


def _chosen(row):
    return {column: row[column] for column in _PRETRAINED if column in row}


def _speakers(transfer, curves):
    rows = [
        {head: row[column] for column, head in _TRANSFER.items()}
        for table in transfer.values()
        for row in table
    ]
    text = list_table(rows) if rows else "``python benchmarks/transfer.py`` measures them.\n"
    if curves:
        text += "\n:doc:`/results/voices` has further numbers of speakers and other systems.\n"
    return text
