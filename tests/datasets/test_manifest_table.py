"""Quotes and lines in tables: all clips are read back, or the error names the line."""

import csv
import io
import re
import tempfile
import unicodedata
import warnings
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_speech.datasets import load_speech_manifest

COLUMNS = ["path", "label", "sentence", "note"]

#: Common Voice writes entries as they are: neither quoted nor escaped.
DIALECTS = {
    "excel": {"dialect": "excel"},
    "excel-tab": {"dialect": "excel-tab"},
    "unix": {"dialect": "unix"},
    "semicolons": {"dialect": "excel", "delimiter": ";"},
    "quoted tabs": {"dialect": "unix", "delimiter": "\t"},
    "plain tabs": {
        "delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None, "lineterminator": "\n",
    },
}  # fmt: skip

#: Text with many characters that have a meaning in tables.
text = st.text(
    st.one_of(
        st.sampled_from('"",;\t\n\r \'\\aé'),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=8,
)


def load(content, name, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_speech_manifest(path, check_paths=False, **options)


def written(rows, dialect):
    file = io.StringIO(newline="")
    csv.writer(file, **DIALECTS[dialect]).writerows([COLUMNS, *rows])
    return file.getvalue()


def file_name(dialect):
    return "clips.tsv" if "tab" in dialect else "clips.csv"


def expected(rows):
    return [[unicodedata.normalize("NFC", cell.strip()) for cell in row[1:]] for row in rows]


def read(speech):
    return [list(cells) for cells in zip(speech.target, speech.sentence, speech.note)]


def as_rows(cells):
    """Rows with a path and a label, as every clip has them."""
    return [[f"clip{i}.wav", f"{label}!", *rest] for i, (label, *rest) in enumerate(cells)]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(st.lists(st.tuples(text, text, text), min_size=1, max_size=4))
@settings(max_examples=150)
def test_any_table_is_read_back_exactly_with_the_right_quotes_option(dialect, cells):
    rows = as_rows(cells)
    if dialect == "plain tabs":
        rows = [[re.sub(r"[\t\r\n]", "", cell) for cell in row] for row in rows]
    options = {"delimiter": ";"} if dialect == "semicolons" else {}
    speech = load(
        written(rows, dialect), file_name(dialect), quotes=dialect != "plain tabs", **options
    )
    assert [Path(path).name for path in speech.data] == [row[0] for row in rows]
    assert read(speech) == expected(rows)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(st.lists(st.tuples(text, text, text), min_size=1, max_size=4))
@example([("yes", '"Hello', ""), ("no", "", ""), ("up", 'bye"', "")])
@settings(max_examples=150)
def test_without_the_quotes_option_all_clips_are_read_or_the_error_names_a_line(dialect, cells):
    rows = as_rows(cells)
    if dialect == "plain tabs":
        rows = [[re.sub(r"[\t\r\n]", "", cell) for cell in row] for row in rows]
    options = {"delimiter": ";"} if dialect == "semicolons" else {}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            speech = load(written(rows, dialect), file_name(dialect), **options)
    except ValueError as error:
        assert re.search(r"line \d+.*quotes=True", str(error), re.S)
        return
    if not caught or dialect == "plain tabs":
        assert [Path(path).name for path in speech.data] == [row[0] for row in rows]
    if not caught and dialect != "plain tabs":  # there "a""b" may be a"b
        assert read(speech) == expected(rows)
    for warning in caught:
        assert re.search(r"line \d+.*quotes=True", str(warning.message))


#: Sentences as Common Voice has them; csv.reader by itself joins lines 2 to 4 into one row.
COMMON_VOICE = (
    "path\tlabel\tsentence\tnote\n"
    'a.mp3\tx\t"Hello, she said.\t1\n'
    "b.mp3\tx\tNothing.\t2\n"
    'c.mp3\tx\tHe said: bye."\t3\n'
    'd.mp3\tx\t"Quoted" words\t4\n'
    'e.mp3\tx\t"All quoted."\t5\n'
)


@pytest.mark.parametrize("options", [{}, {"quotes": False}])
def test_unpaired_quotes_of_common_voice_lose_no_row(options):
    speech = load(COMMON_VOICE, "validated.tsv", **options)
    assert [Path(path).name for path in speech.data] == [f"{c}.mp3" for c in "abcde"]
    assert speech.sentence.tolist() == [
        line.split("\t")[2] for line in COMMON_VOICE.splitlines()[1:]
    ]  # fmt: skip


def test_quotes_that_may_join_rows_warn_unless_the_option_is_given():
    content = 'path\tlabel\na.wav\t"yes\nb.wav\tno"\n'
    with pytest.warns(UserWarning, match=r"clips\.tsv, line 2: .*line 3 .*quotes=False"):
        speech = load(content, "clips.tsv")
    assert speech.target.tolist() == ['"yes', 'no"']
    assert load(content, "clips.tsv", quotes=False).target.tolist() == ['"yes', 'no"']
    assert load(content, "clips.tsv", quotes=True).target.tolist() == ["yes\nb.wav\tno"]


def test_tab_separated_files_may_have_quoted_entries():
    content = 'path\tlabel\tsentence\tnote\na.wav\tyes\t"He said ""hi"""\t"two\nlines"\n'
    speech = load(content, "clips.tsv")
    assert (speech.sentence[0], speech.note[0]) == ('He said "hi"', "two\nlines")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('path,label\na.wav,yes\nb.wav,"no\nc.wav,up\n', 3),
        ('path,label\na.wav,"no\nb.wav,yes\nc.wav,"up"\n', 2),
        ('path,label\na.wav,"no"x\n', 2),
        ('path,label\n\n\na.wav,"no\nb.wav,up"\n', 4),  # each line is valid by itself
        ('path,label\r\na.wav,yes\r\nb.wav,"no\r\nc.wav,up"\r\n', 3),
    ],
)
def test_the_error_names_the_line_of_an_unpaired_quote(content, line):
    with pytest.raises(ValueError, match=rf"clips\.csv, line {line}\b"):
        load(content, "clips.csv")


def test_the_error_names_the_line_of_an_entry_that_is_too_long():
    content = f"path,label\na.wav,yes\nb.wav,{'x' * 200_000}\n"
    with pytest.raises(ValueError, match=r"clips\.csv, line 3: field larger than field limit"):
        load(content, "clips.csv")


@pytest.mark.parametrize("name", ["clips.tsv", "clips.csv"])
def test_the_error_names_the_line_of_a_row_of_another_length(name):
    tab = "\t" if name.endswith("tsv") else ","
    content = 'path,label,note\na,x,"b\nc"\nd,y\ne,z,"f",g\n'.replace(",", tab)
    with pytest.raises(ValueError, match=r"line 4 has 2 columns; line 5 has 4 columns"):
        load(content, name)


@pytest.mark.parametrize("name", ["clips.tsv", "clips.TSV.gz", "clips.tab"])
def test_the_file_extension_determines_the_delimiter(name):
    assert load("path\tlabel\na,b.wav\tyes\n", name).target.tolist() == ["yes"]
    assert load("path;label\na.wav;yes\n", name, delimiter=";").target.tolist() == ["yes"]
