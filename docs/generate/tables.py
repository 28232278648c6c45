"""Tables in reStructuredText."""


def list_table(rows):
    """Write a list of dicts as a list-table, with the keys of the first one as its head."""
    lines = [".. list-table::", "   :header-rows: 1", "   :class: wide", ""]
    for cells in [list(rows[0]), *(row.values() for row in rows)]:
        for i, cell in enumerate(cells):
            lines.append(f"   {'* -' if i == 0 else '  -'} {_text(cell)}")
    return "\n".join(lines) + "\n"


def _text(value):
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = text.replace("*", r"\*").replace("|", r"\|")
    # a bare hyphen would become a bullet
    return r"\-" if text in ("", "-") else text
