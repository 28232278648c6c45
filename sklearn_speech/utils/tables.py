"""Format a table as text or as HTML."""

import html
from collections.abc import Iterable


def text_table(
    header: list[str], body: list[list[str]], foot: list[list[str]], notes: Iterable[str] = ()
) -> str:
    """Format a table as text: the first column left-aligned, the others, with numbers,
    right-aligned.

    Parameters
    ----------
    header : list of str
    body, foot : list of list of str
        Rows of cells; a rule is drawn before and after the body.
    notes : iterable of str, default=()
        Lines below the table.

    Returns
    -------
    text : str

    Examples
    --------
    >>> print(text_table(["speaker", "clips"], [["ann", "12"]], [["mean", "12"]]))
    speaker  clips
    --------------
    ann         12
    --------------
    mean        12
    """
    widths = [max(map(len, column)) for column in zip(header, *body, *foot)]

    def line(cells: list[str]) -> str:
        padded = [text.rjust(width) for text, width in zip(cells, widths)]
        padded[0] = cells[0].ljust(widths[0])
        return "  ".join(padded).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    below = [rule, *map(line, foot)] if foot else []
    return "\n".join([line(header), rule, *map(line, body), *below, *notes])


def score_cell(score: float, undefined: bool) -> str:
    """A score as text, or the word that it has no value.

    Examples
    --------
    >>> score_cell(0.5, False), score_cell(float("nan"), True)
    ('0.500', 'undefined')
    """
    return "undefined" if undefined else f"{score:.3f}"


def html_table(
    header: list[str], body: list[list[str]], foot: list[list[str]], notes: Iterable[str] = ()
) -> str:
    """Format a table as HTML for notebooks; the arguments are those of :func:`text_table`."""

    def row(cells: list[str], tag: str) -> str:
        first, *others = (html.escape(cell) for cell in cells)
        numbers = "".join(f'<{tag} style="text-align:right">{cell}</{tag}>' for cell in others)
        return f'<tr><{tag} style="text-align:left">{first}</{tag}>{numbers}</tr>'

    return (
        f"<table><thead>{row(header, 'th')}</thead>"
        f"<tbody>{''.join(row(cells, 'td') for cells in body)}</tbody>"
        f"<tfoot>{''.join(row(cells, 'th') for cells in foot)}</tfoot></table>"
        + "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    )
