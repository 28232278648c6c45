"""Tables of measured results that pages of the guide include."""

import json
from pathlib import Path

from .files import write_folder
from .tables import list_table

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
        "speakers.rst": _speakers(_tables(source, "transfer")),
    }
    write_folder(Path(folder), texts)


def _tables(source, name):
    """Tables of a report by caption; none if its benchmark has not been run."""
    path = Path(source) / f"{name}.json"
    return json.loads(path.read_text())["tables"] if path.is_file() else {}


def _pretrained(tables):
    """Scores of the recipes; tables of their settings stay on the page of the results."""
    parts = [
        f"**{caption}**\n\n{list_table(rows)}"
        for caption, rows in tables.items()
        if "recipe" in rows[0] and "mean" in rows[0]
    ]
    if not parts:
        return "``python benchmarks/pretrained.py`` measures the recipes on held-out speakers.\n"
    return "\n".join(parts) + "\n:doc:`/results/pretrained` has all measurements.\n"


def _speakers(tables):
    rows = [
        {head: row[column] for column, head in _TRANSFER.items()}
        for table in tables.values()
        for row in table
    ]
    return list_table(rows) if rows else "``python benchmarks/transfer.py`` measures them.\n"
