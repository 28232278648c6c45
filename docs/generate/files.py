"""Files that change only if their text does, so that Sphinx reads only what is new."""

from pathlib import Path


def write_folder(folder, texts):
    """Write texts by relative path, and remove other text files of earlier builds."""
    folder = Path(folder)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
    for path in [*folder.rglob("*.rst"), *folder.rglob("*.md")]:
        if path.relative_to(folder).as_posix() not in texts:
            path.unlink()
