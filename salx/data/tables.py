"""Tables as people and tools write them: CSV with any delimiter, JSON, JSON lines, plain text.

Text is UTF-8, or UTF-16 or UTF-32 with the byte order mark that says so; a mark is never a part
of the first name. Lines end where editors end them: at \\n, \\r\\n or \\r, at nothing else.
"""

import codecs
import csv
import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from salx.infra.errors import InputError

DELIMITERS = ",;\t|"
HEAD = 4096  # bytes that are looked at before a file is read as a whole
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Row(NamedTuple):
    """Hold a row of a table.

    Attributes:
      line: the number of its line in the file, from 1.
      fields: its values, by the names of the columns in lower case.
    """

    line: int
    fields: dict[str, Any]


def read(path: Path, columns: Sequence[str]) -> list[Row]:
    """Read the rows of a list: JSON lines of objects, or CSV with a header.

    The columns' names count without the spaces around them, in any case.

    Args:
      path: the file; `.jsonl` in any case holds JSON lines.
      columns: names of which some stand in a CSV file's header; by them its delimiter is found.

    Returns:
      The rows, in the order of the file; blank lines are none.

    Raises:
      InputError: naming the file and the line that cannot be read.
    """
    text = text_of(path)
    if path.suffix.lower() == ".jsonl":
        values = json_lines(path, text)
        objects = (Row(line, value if isinstance(value, dict) else {}) for line, value in values)
        return [Row(line, _by_column(fields)) for line, fields in objects]
    delimiter, records = delimited(path, text, columns)
    _, names = next(records, (0, []))
    names = [name.strip().lower() for name in names]
    for name in columns:
        if names.count(name) > 1:
            raise InputError(f"{path}: two of its columns are called {name!r}")
    rows = []
    for line, values in records:
        if any(values[len(names) :]):
            raise InputError(
                f"{path}:{line}: has more values than the header has names; a value that holds "
                f"{delimiter!r} has to stand in quotes"
            )
        rows.append(Row(line, dict(zip(names, values, strict=False))))
    return rows


def text_of(path: Path) -> str:
    """Read a text file.

    Args:
      path: the file.

    Returns:
      Its text without a byte order mark, with every line ended by \\n.

    Raises:
      InputError: naming the file, and the line that is no text.
    """
    try:
        content = _content(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    mark, encoding = next(((m, name) for m, name in BOMS if content.startswith(m)), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: len(mark) + error.start].count(b"\n") + 1
        what = f"line {line} is not {encoding.upper()}; save it as UTF-8"
        raise InputError(f"{path}: cannot be read: {what}") from error
    _check_text(path, text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _content(path: Path) -> bytes:
    """Read the bytes of a file; one that is no text is refused before it is read as a whole."""
    mode = path.stat().st_mode
    # What the shell hands over in /dev/fd is a pipe; any other one might never end, or never say.
    handed_over = stat.S_ISFIFO(mode) and str(path).startswith(("/dev/", "/proc/"))
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or handed_over):
        raise InputError(f"{path}: cannot be read: it is no regular file")
    with open(path, "rb") as file:
        head = file.read(HEAD)
        if not head.startswith(tuple(mark for mark, _ in BOMS)):
            _check_text(path, head.decode("latin-1"))
        return head + file.read()


def _check_text(path: Path, text: str) -> None:
    """Raise InputError for a NUL byte, which pictures and weights hold, and text does not."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(
            f"{path}: cannot be read: line {line} holds a NUL byte, so that it is no text in UTF-8"
        )


def lines(text: str) -> list[tuple[int, str]]:
    """Number the lines of a text, and leave out blank ones.

    Args:
      text: the text, its lines ended by \\n.

    Returns:
      (number from 1, line) for each line that is not blank.
    """
    return [(line, each) for line, each in enumerate(text.split("\n"), 1) if each.strip()]


def json_lines(path: Path, text: str) -> list[tuple[int, Any]]:
    """Read the JSON value in each line of a text.

    Args:
      path: the file, for messages.
      text: its content; blank lines are left out.

    Returns:
      (number of the line, value) for each line.

    Raises:
      InputError: naming the file and the line of what is no JSON.
    """
    return [(line, json_value(path, each, line)) for line, each in lines(text)]


def json_value(path: Path, text: str, line: int = 1) -> Any:
    """Read a text that is one JSON value.

    Args:
      path: the file that it stands in, for messages.
      text: the text; it may have several lines.
      line: the number of its first line in the file.

    Returns:
      The value.

    Raises:
      InputError: naming the file and the line, for what is no JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line, why = line + error.lineno - 1, error.msg
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits; depth
        why = str(error)
    raise InputError(f"{path}: cannot be read: line {line} is no JSON: {why}")


def delimited(
    path: Path, text: str, columns: Sequence[str] = (), delimiter: str = ""
) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Split a CSV file into its records, the header among them, without blank ones.

    Args:
      path: the file, for messages.
      text: its content.
      columns: names of which some stand in the header; by them the delimiter is found.
      delimiter: the delimiter, where it is certain; "" looks for it.

    Returns:
      The delimiter, and an iterator over (number of the line that the record ends in, values).

    Raises:
      InputError: from the iterator, naming the file and the line of what is no CSV.
    """
    skipped = 0
    if said := re.match(r'"?sep=(.)"?\n', text):  # a spreadsheet's own first line
        text, skipped, delimiter = text[said.end() :], 1, delimiter or said[1]
    delimiter = delimiter or _delimiter(text, columns)
    return delimiter, _records(path, text, delimiter, skipped)


def _delimiter(text: str, columns: Sequence[str]) -> str:
    """Choose the delimiter that gives the header most of the columns, and else most values."""
    header = next((each for _, each in lines(text)), "")

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            values = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            return 0, 0
        return len({value.strip().lower() for value in values} & set(columns)), len(values)

    return max(DELIMITERS, key=worth)


def _records(
    path: Path, text: str, delimiter: str, skipped: int
) -> Iterator[tuple[int, list[str]]]:
    """Give (line, values) of each record that is not blank."""
    # Spaces before a value belong to it, but for those before quotes: `a.png, "one, two"`.
    quoted = re.search(rf'{re.escape(delimiter)} +"', text) is not None
    reader = csv.reader(
        io.StringIO(text), delimiter=delimiter, skipinitialspace=quoted, strict=True
    )
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num + skipped, values
    except csv.Error as error:
        line = reader.line_num + skipped
        raise InputError(f"{path}: cannot be read: line {line} is no CSV: {error}") from error


def _by_column(fields: dict[str, Any]) -> dict[str, Any]:
    """Rename an object's values to lower case without spaces; a name that is so already wins."""
    exact = {name: value for name, value in fields.items() if name == name.strip().lower()}
    return {name.strip().lower(): value for name, value in fields.items()} | exact
