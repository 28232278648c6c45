"""Reports as JSON and Markdown, for all benchmarks.

``python benchmarks/report.py`` collects ``benchmarks/results/*.json`` in
``benchmarks/results/README.md``. It also updates the reports in the project's README, between
``<!-- report NAME -->`` and ``<!-- end of report -->``. With names of columns, as in
``<!-- report NAME: system, mean -->``, only these columns of the first table are quoted. No
table of measurements is typed by hand.
"""

import argparse
import json
import os
import platform
import re
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"


def environment():
    """Describe the machine and the versions of the measurement."""
    import numpy
    import sklearn
    import torch

    cpu = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
    }


def markdown_table(rows):
    """Convert a list of dicts with equal keys to a Markdown table."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_text(row[key]) for key in head) + " |" for row in rows]
    return "\n".join(lines)


def _text(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_report(name, title, tables, notes=(), folder=RESULTS, pictures=None):
    """Write ``<name>.json`` and ``<name>.md``.

    Parameters
    ----------
    name : str
        File name without suffix.
    title : str
        Heading.
    tables : dict of str to list of dict
        Caption and rows of each table.
    notes : iterable of str
        Sentences below the tables.
    folder : path
        Where to write.
    pictures : dict of str to str, default=None
        Caption and file name, in `folder`, of pictures to show before the tables.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    report = {
        "title": title,
        "environment": environment(),
        "tables": tables,
        "notes": list(notes),
        **({"pictures": pictures} if pictures else {}),
    }
    _replace(folder / f"{name}.json", json.dumps(report, indent=1) + "\n")
    _replace(folder / f"{name}.md", render(report))
    return folder / f"{name}.md"


def render(report):
    """Markdown of one report."""
    parts = [f"## {report['title']}", *_pictures(report)]
    for caption, rows in report["tables"].items():
        parts += [f"**{caption}**", markdown_table(rows)]
    return "\n\n".join([*parts, *report["notes"], _machine(report)]) + "\n"


def quote(text, reports):
    """Update the marked reports in `text`.

    Parameters
    ----------
    text : str
        Markdown with pairs of marks.
    reports : dict of str to dict
        Reports by name.

    Returns
    -------
    text : str
    """

    def between(match):
        report = reports[match["name"]]
        if match["columns"]:
            columns = [column.strip() for column in match["columns"].split(",")]
            rows = next(iter(report["tables"].values()))
            table = markdown_table([{column: row[column] for column in columns} for row in rows])
            return f"{match['begin']}\n\n{table}\n\n{_machine(report)}\n\n{match['end']}"
        tables = [
            f"**{caption}**\n\n{markdown_table(rows)}" for caption, rows in report["tables"].items()
        ]
        shown = _pictures(report, RESULTS.relative_to(README.parent).as_posix() + "/")
        body = "\n\n".join([*shown, *tables, *report["notes"], _machine(report)])
        return f"{match['begin']}\n\n{body}\n\n{match['end']}"

    marks = (
        r"(?P<begin><!-- report (?P<name>\w+)(?:: (?P<columns>[^>]+?))? -->).*?"
        r"(?P<end><!-- end of report -->)"
    )
    return re.sub(marks, between, text, flags=re.S)


def _pictures(report, place=""):
    return [f"![{caption}]({place}{file})" for caption, file in report.get("pictures", {}).items()]


def _machine(report):
    facts = ", ".join(f"{key} {value}" for key, value in report["environment"].items() if value)
    return f"Measured on: {facts}."


def _replace(path, text):
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=RESULTS)
    folder = parser.parse_args().folder
    reports = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    _replace(folder / "README.md", "# Benchmarks\n\n" + "\n".join(map(render, reports.values())))
    print(f"{len(reports)} reports in {folder / 'README.md'}")
    if folder == RESULTS:
        _replace(README, quote(README.read_text(), reports))


if __name__ == "__main__":
    main()
