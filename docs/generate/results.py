"""Pages of measured results: one for each report that a benchmark wrote."""

import re
import shutil
from pathlib import Path

from .files import write_folder

_INTRODUCTION = """# Results

A program measured every figure on these pages, and another one wrote the tables. Each page names
the machine and the versions. The folder `benchmarks/` has the programs. Accuracies are on speakers
who were not in the training data unless the caption says otherwise.

```{toctree}
:maxdepth: 1

"""


def write_results_pages(source, folder):
    """Copy the reports in `source` to `folder`, with their pictures and a table of contents."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts, names = {}, []
    for path in sorted(Path(source).glob("*.md")):
        if path.name == "README.md":
            continue
        names.append(path.stem)
        text = "#" + path.read_text().lstrip("#")  # the title of a page of its own
        texts[path.name] = re.sub(r"^!\[(.*)\]\(.*\)$", r"\g<0>\n\n*\1*", text, flags=re.M)
    # the systems' accuracy interests most readers first
    names.sort(key=lambda name: (not name.startswith("reference_systems"), name))
    texts["index.md"] = _INTRODUCTION + "\n".join(names) + "\n```\n"
    write_folder(folder, texts)
    for picture in Path(source).glob("*.png"):
        shutil.copy2(picture, folder / picture.name)
