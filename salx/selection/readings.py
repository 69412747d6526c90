"""Readings of a file of labels: the ways in which it can be read, each as names of images.

Which of a table's columns holds the images is not said in most of them. So every column is a
reading, and whoever has the pool takes the one that names the most of its images.

Formats: a record of SALX or its `--csv`; text with a name a line, perhaps a space and a label
after it; CSV with or without a header; JSON lines; a JSON array or object of names, of objects, or
of objects by name. So Label Studio's JSON, JSON_MIN, CSV and TSV are read
(https://labelstud.io/guide/export), and COCO's `images[].file_name`
(https://cocodataset.org/#format-data).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from salx.data import tables
from salx.infra.errors import InputError

# What columns of images are called, the likeliest first.
COLUMNS = (
    *("key", "image", "images", "file_name", "filename", "file", "path", "filepath", "file_path"),
    *("image_path", "img_path", "img", "image_file", "image_name", "image_id", "name", "url"),
    *("image_url", "coco_url", "uri", "file_upload"),
)
COLUMNED = frozenset(COLUMNS)
LABELS = ("annotations", "label", "labels", "mask")  # whose emptiness says that there is no label
LINES = (".jsonl", ".ndjson")
RECORD = "salx.selection/"  # how a record's header says what it is, see salx.records
DEPTH = 3  # objects within objects that are looked into
MOST = 100  # columns and inner tables that are looked at


@dataclass(frozen=True)
class Reading:
    """Hold names of images, as one column has them.

    Attributes:
      column: what it is called; "" where nothing says so.
      names: the names by line, or by number in a JSON array; "" where a row has none.
      unlabelled: how many rows were left out because others have a label and they have none.
      header: what the first row has where it names the columns, unless it is a name itself.
      unit: what the numbers of the rows count: "line" or "item".
    """

    column: str
    names: Mapping[int, str]
    unlabelled: int
    header: str
    unit: str

    @property
    def likely(self) -> bool:
        """Tell whether the column is called as those of images are."""
        return self.rank < len(COLUMNS)

    @property
    def rank(self) -> int:
        """Rank how likely the column's name is, 0 for the likeliest."""
        return _rank(self.column)


def _rank(column: str) -> int:
    """How likely a column's name is one of images', 0 for the likeliest."""
    name = column.rpartition(".")[2].lower()
    return COLUMNS.index(name) if name in COLUMNED else len(COLUMNS)


class _Table(NamedTuple):
    """Rows of one kind: their values by column, by number; the header that named the columns; and
    what the numbers count.
    """

    rows: dict[int, dict[str, Any]]
    header: dict[str, str]
    unit: str = "line"


def read(path: Path) -> list[list[Reading]]:
    """Read a file in all ways.

    Args:
      path: .jsonl, .ndjson, .json, .csv, .tsv, or any text.

    Returns:
      The readings of each table that the file can be taken for, those of the likeliest columns
      first.

    Raises:
      InputError: naming the file and the line that cannot be read.
    """
    text = tables.text_of(path)
    values = _json(path, text)
    sorts = list(_of_text(path, text) if values is None else _of_json(path, values))
    every = [list(_readings(table)) for table in sorts]
    if not any(every) and any(any(table.rows.values()) for table in sorts):
        raise InputError(f"{path}: holds no names of images")
    return every


def _json(path: Path, text: str) -> list[tuple[int, Any]] | None:
    """The JSON values of a file with their lines; None where it is no JSON."""
    ending = path.suffix.lower()
    named = ending in (*LINES, ".json")
    if not text.strip() or not (named or text.lstrip().startswith(("{", "["))):
        return None
    ways = [lambda: [(1, tables.json_value(path, text))], lambda: tables.json_lines(path, text)]
    faults = []
    for way in reversed(ways) if ending in LINES else ways:
        try:
            return way()
        except InputError as error:
            faults.append(error)
    if named:
        raise faults[0]
    return None


def _of_json(path: Path, values: list[tuple[int, Any]]) -> Iterator[_Table]:
    """The tables in JSON lines, or in one value: an array, an object, or an object of arrays."""
    table = _table(values, "line")
    yield table
    if len(values) != 1 or not table.rows:
        return
    value = values[0][1]
    if isinstance(value, list):
        yield _table(enumerate(value, 1), "item")
    elif isinstance(value, dict):
        for inner in list(value.values())[:MOST]:
            if isinstance(inner, list):
                yield _table(enumerate(inner, 1), "item")
            elif isinstance(inner, dict):
                yield _of_mapping(inner)
        if path.suffix.lower() not in LINES:  # where a single line is one image's
            yield _of_mapping(value)


def _of_mapping(value: Mapping[str, Any]) -> _Table:
    """An object of names: {"a.png": "cat"}, {"1": "a.png"} or {"1": {"filename": "a.png"}}."""
    pairs = enumerate(value.items(), 1)
    rows = {number: {"{}": name, **_fields(each)} for number, (name, each) in pairs}
    return _Table(rows, {}, "item")


def _table(rows: Iterable[tuple[int, Any]], unit: str) -> _Table:
    """The table of JSON values, without the headers of records."""
    fields = {number: _fields(value) for number, value in rows if value not in ([], {})}
    without = {n: row for n, row in fields.items() if not _is_header(row)}
    return _Table(without, {}, unit)


def _is_header(fields: Mapping[str, Any]) -> bool:
    """Whether a line is the first of a record."""
    return str(fields.get("format")).startswith(RECORD) and "key" not in fields


def _fields(value: Any, prefix: str = "", depth: int = DEPTH) -> dict[str, Any]:
    """The columns of a JSON value: `data.image`; a text alone is one without a name."""
    if not isinstance(value, dict):
        return {prefix: value}
    if not depth:
        return {}
    fields: dict[str, Any] = {}
    for name, inner in value.items():
        fields |= _fields(inner, f"{prefix}.{name}" if prefix else name, depth - 1)
    return fields


def _of_text(path: Path, text: str) -> Iterator[_Table]:
    """The tables that a text can be: a name in each line, CSV by each delimiter in it, and lines
    of a name, a space and a label."""
    delimited = []
    for delimiter in tables.DELIMITERS:
        if delimiter not in text and not (delimiter == "," and '"' in text):
            continue
        try:
            records = list(tables.delimited(path, text, (), delimiter)[1])
        except InputError:  # names with quotes, which are no CSV
            continue
        if records:
            delimited.append(_of_records(records))
    header_alone = any(not table.rows and COLUMNED & {*table.header} for table in delimited)
    lines = tables.lines(text)
    if lines and not header_alone:
        first = lines[0][1].strip()
        header = {"": first} if first.lower() in COLUMNED else {}
        yield _Table({line: {"": each} for line, each in lines[bool(header) :]}, header)
    yield from delimited
    if any(" " in each.strip() for _, each in lines) and not header_alone:
        yield _Table({line: {"": each.rsplit(None, 1)[0]} for line, each in lines}, {})


def _of_records(records: list[tuple[int, list[str]]]) -> _Table:
    """A table whose first record is its header, where it looks like one."""
    first = records[0][1]
    names = [cell.strip().lower() for cell in first]
    headed = bool(COLUMNED & {*names}) or (
        len(names) > 1 and not any(re.search(r"[./\\]", name) for name in names)
    )
    columns = names if headed else [f"column {number}" for number in range(1, len(names) + 1)]
    rows = {line: dict(zip(columns, values, strict=False)) for line, values in records[headed:]}
    return _Table(rows, dict(zip(columns, first, strict=True)) if headed else {})


def _readings(table: _Table) -> Iterator[Reading]:
    """The readings of a table: one for each column that holds text, or numbers for names."""
    rows = _labelled_rows(table.rows)
    columns = dict.fromkeys(
        column for row in rows.values() for column, value in row.items() if _name(column, value)
    )
    for column in sorted(columns, key=_rank)[:MOST]:
        names = {number: _name(column, row.get(column)) for number, row in rows.items()}
        left_out = len(table.rows) - len(rows)
        yield Reading(column, names, left_out, table.header.get(column, ""), table.unit)


def _name(column: str, value: Any) -> str:
    """A value as the name of an image, "" where it is none."""
    if isinstance(value, str):
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole and _rank(column) < len(COLUMNS) else ""


def _labelled_rows(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The rows that have a label, where others of the table have none; else all.

    A task of Label Studio that was skipped has an annotation: somebody looked at it.
    """
    for column in LABELS:
        labelled = {n: row for n, row in rows.items() if row.get(column) not in ("", None, [])}
        if labelled:
            return labelled
    return rows
