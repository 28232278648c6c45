"""Tables of the published systems: their recipes, what was corrected, and measured results."""

import json
from pathlib import Path

from sklearn_speech.recipes import list_recipes

from .files import write_folder
from .tables import list_table

#: Columns of the measured results that are shown, as far as a table has them.
_SHOWN = (
    *("system", "mean", "worst speaker", "macro F1", "parameters", "epochs", "seeds"),
    *("change", "features", "pairs", "before", "after", "gain, least to most"),
)


def write_system_tables(source, folder):
    """Write one file for each published system to `folder`, from the results in `source`."""
    report = json.loads((Path(source) / "reference_systems.json").read_text())
    texts = {}
    entries = list_recipes(details=True)
    for system in dict.fromkeys(entry["source"] for entry in entries):
        own = [entry for entry in entries if entry["source"] == system]
        texts[f"{_file_name(system)}.rst"] = "\n".join(
            [_recipes(own), _corrections(own), _results(own, report)]
        )
    write_folder(Path(folder), texts)


def _file_name(system):
    words = "".join(c.lower() if c.isalnum() else " " for c in system).split()
    return "-".join(words)


def _heading(text):
    return f"{text}\n{'-' * len(text)}\n"


def _recipes(entries):
    if not any(entry["published"] for entry in entries):
        return ""  # the page itself describes this library's own recipes
    rows = [
        {
            "recipe": f"``{entry['name']}``",
            "task": entry["task"],
            "input": entry["input"],
            "reported by the source": entry["published"],
        }
        for entry in entries
    ]
    return _heading("Recipes") + "\n" + list_table(rows)


def _corrections(entries):
    points = {}
    for entry in entries:
        for point in filter(None, (part.strip() for part in entry["corrected"].split(";"))):
            points.setdefault(point, []).append(entry["name"])
    if not points:
        return ""
    lines = []
    for point, names in points.items():
        only = (
            "" if len(names) == len(entries) else " (" + ", ".join(f"``{n}``" for n in names) + ")"
        )
        lines.append(f"- {_sentence(point)}{only}.")
    return _heading("What is corrected") + "\n" + "\n".join(lines) + "\n"


def _sentence(text):
    """Begin with a capital letter, or mark a name of the library as code."""
    first, _, rest = text.partition(" ")
    return f"``{first}`` {rest}" if "_" in first else text[0].upper() + text[1:]


def _results(entries, report):
    names = {entry["name"] for entry in entries}
    parts = []
    for caption, rows in report["tables"].items():
        found = [
            {key: row[key] for key in _SHOWN if key in row}
            for row in rows
            if row["system"].replace(",", " ").split()[0] in names
        ]
        if found:
            parts += [f"**{caption}**\n", list_table(found)]
    if not parts:
        return _heading("Results") + "\nNo results are stored for these recipes.\n"
    more = "\n:doc:`/results/reference_systems` has all columns, all systems and the machine.\n"
    return _heading("Results") + "\n" + "\n".join(parts) + more
