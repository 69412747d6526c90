"""Every way in which people write down what is labelled excludes the same images."""

import base64
import csv
import io
import json
import os
import shutil
import unicodedata
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salx.infra.errors import InputError
from salx.selection import labelled
from salx.selection.pool import Pool, images
from tests.data.files import picture, write

KEYS = ("0.png", "1.png", "a b/2.png", "a b/höhe, 3.png", "c/d/4.png", "c/d/+5%.png")
DONE = KEYS[1:4]


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    root = tmp_path_factory.mktemp("all") / "drive"
    for number, key in enumerate(KEYS):
        write(root / key, picture(number))
    return images(root)


@pytest.fixture
def excluded(pool, tmp_path):
    """Writes a file of labels; returns the keys that it excludes, and what else was said."""

    def write_and_find(content, name="labels.json", missing="stop"):
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return keys_of(pool, tmp_path / name, missing=missing)

    return write_and_find


def keys_of(pool, *sources, missing="stop"):
    done = labelled.find(sources, pool, missing)
    return sorted(pool.keys[id_] for id_ in done.ids), done


def rows(values, header=(), **dialect):
    text = io.StringIO()
    csv.writer(text, **dialect).writerows([header, *values] if header else values)
    return text.getvalue()


def studio(addresses, annotations=({"result": []},)):
    return [
        {"id": 7 + n, "data": {"image": address}, "annotations": list(annotations), "project": 1}
        for n, address in enumerate(addresses)
    ]


def coco(names):
    listed = [{"id": n, "file_name": name, "height": 6} for n, name in enumerate(names)]
    marks = [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [0, 0, 1, 1]}]
    info = {"description": "a set", "year": 2026}
    return {"info": info, "images": listed, "annotations": marks, "categories": [{"name": "cat"}]}


def lines(names, field="image"):
    return "".join(json.dumps({field: name}) + "\n" for name in names)


RECORD = json.dumps({"format": "salx.selection/1", "policy": "entropy", "picked": 3})
OURS = ("rank", "id", "key", "score", "predicted", "confidence")
EXPORT = ("image", "id", "label", "annotator", "annotation_id", "created_at", "lead_time")
BIG_ENDIAN = b"\xfe\xff" + "\n".join(DONE).encode("utf-16-be")
SHEET = "sep=;\r\n" + rows([(1, key) for key in DONE], ("n", "image"), delimiter=";")
FORMS = {
    "text": ("l.txt", "\n".join(DONE)),
    "text behind a BOM": ("l.txt", "\ufeff" + "\n".join(DONE)),
    "text in UTF-16": ("l.txt", "\n".join(DONE).encode("utf-16")),
    "text in UTF-16 of the other order": ("l.txt", BIG_ENDIAN),
    "old line ends": ("l.txt", "\r".join(DONE)),
    "text with a header": ("l.txt", "image\n" + "\n".join(DONE)),
    "text with labels": ("l.txt", "".join(f"{key} 7\n" for key in DONE)),
    "text without an ending": ("done", "\n".join(DONE)),
    "dots": ("l.txt", "\n".join(f"./{key}" for key in DONE)),
    "detours": ("l.txt", "\n".join(f"./c//../{key}" for key in DONE)),
    "backslashes": ("l.txt", "\r\n".join(f".\\{key}".replace("/", "\\") for key in DONE)),
    "another machine": ("l.txt", "\n".join("D:\\x\\drive\\" + k.replace("/", "\\") for k in DONE)),
    "decomposed letters": ("l.txt", unicodedata.normalize("NFD", "\n".join(DONE))),
    "a record": ("r.jsonl", f"{RECORD}\n" + lines(DONE, "key")),
    "a record behind a BOM": ("r.jsonl", f"\ufeff{RECORD}\n" + lines(DONE, "key")),
    "two records, one after the other": (
        "r.jsonl", "".join(f"{RECORD}\n" + lines(part, "key") for part in (DONE[:1], DONE[1:])),
    ),
    "two texts with marks": ("l.txt", "\ufeff1.png\n\ufeff" + "\n".join(DONE[1:])),
    "JSON lines": ("l.jsonl", lines(DONE)),
    "JSON lines in capitals": ("L.JSONL", lines(DONE)),
    "JSON lines of file names": ("l.ndjson", lines(DONE, "file_name")),
    "JSON lines without an ending": ("l", lines(DONE)),
    "JSON lines with odd signs": ("l.jsonl", lines([*DONE]) .replace("}", ', "n": "a\u2028b"}')),
    "an array": ("l.json", json.dumps(DONE)),
    "an array of objects": ("l.json", json.dumps([{"filename": k, "label": "x"} for k in DONE])),
    "labels by name": ("l.json", json.dumps(dict.fromkeys(DONE, "cat"))),
    "objects by name": ("l.json", json.dumps({str(n): {"path": k} for n, k in enumerate(DONE)})),
    "our CSV": ("p.csv", rows([(n, n, k, 0.5, "", "") for n, k in enumerate(DONE)], OURS)),
    "a CSV without a header": ("l.csv", rows([(key, "cat") for key in DONE])),
    "a CSV of names": ("l.csv", rows([(key,) for key in DONE])),
    "semicolons": ("l.csv", rows([(k, "cat") for k in DONE], ("Image", "Label"), delimiter=";")),
    "tabs": ("l.tsv", rows([(k, "cat") for k in DONE], ("file", "tag"), delimiter="\t")),
    "a spreadsheet": ("l.csv", SHEET),
    "an unusual column": ("l.csv", rows([("x", k) for k in DONE], ("by whom", "what"))),
    "blanks after commas": ("l.csv", "label, image\n" + "".join(f'cat, "{k}"\n' for k in DONE)),
    "COCO": ("c.json", json.dumps(coco(DONE))),
    "COCO of a tool": ("c.json", json.dumps(coco(f"images\\drive\\{key}" for key in DONE))),
    "Label Studio": (
        "s.json", json.dumps(studio("/data/local-files/?d=" + quote(key) for key in DONE)),
    ),
    "Label Studio, above the pool": (
        "s.json", json.dumps(studio(f"/data/local-files/?d=all/drive/{k}" for k in DONE)),
    ),
    "Label Studio, elsewhere": (
        "s.json",
        json.dumps(studio("http://host:8080/data/local-files/?d=x/y/" + quote(k) for k in DONE)),
    ),
    "Label Studio, a bucket": (
        "s.json", json.dumps(studio(f"s3://bucket/2026/{quote(key)}" for key in DONE)),
    ),
    "Label Studio, signed": (
        "s.json",
        json.dumps(studio(f"https://b.example.com/{quote(k)}?X-Sig=a%2Fb&e=9" for k in DONE)),
    ),
    "Label Studio, resolved": (
        "s.json",
        json.dumps(
            studio(
                "/tasks/3/resolve/?fileuri="
                + base64.urlsafe_b64encode(f"gs://bucket/x/{quote(key)}".encode()).decode()
                for key in DONE
            )
        ),
    ),
    "Label Studio, uploaded": (
        "s.json",
        json.dumps(
            studio(
                f"/data/upload/3/0a1b2c3d-{name}"
                for name in ("1.png", "2.png", "höhe_3.png")
            )
        ),
    ),
    "JSON_MIN": (
        "m.json",
        json.dumps(
            [
                {"image": f"/data/local-files/?d={quote(k)}", "id": n, "choice": "cat"}
                for n, k in enumerate(DONE)
            ]
        ),
    ),
    "Label Studio's CSV": (
        "e.csv",
        rows([(f"/data/local-files/?d={quote(k)}", 1, "cat", 1, 2, "", 3) for k in DONE], EXPORT),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_excludes_the_same_images(excluded, form):
    name, content = FORMS[form]
    found, done = excluded(content, name)
    assert found == sorted(DONE)
    assert not done.absent
    assert done.in_words().startswith("labelled: 3")


def test_paths_of_this_machine(pool, tmp_path, excluded, monkeypatch):
    root = pool.root
    (tmp_path / "link").symlink_to(root)
    for folder in (root, Path(os.path.realpath(root)), tmp_path / "link", f"{root}/a b/.."):
        assert excluded("\n".join(f"{folder}/{key}" for key in DONE), "l.txt")[0] == sorted(DONE)
    urls = [f"file://{quote(str(root / key))}" for key in DONE]
    assert excluded("\n".join(urls), "l.txt")[0] == sorted(DONE)
    monkeypatch.chdir(root.parent)
    assert excluded("\n".join(f"drive/{key}" for key in DONE), "l.txt")[0] == sorted(DONE)
    (root.parent / "lists").mkdir()
    path = root.parent / "lists/l.txt"
    path.write_text("\n".join(f"../drive/{key}" for key in DONE))
    monkeypatch.chdir(tmp_path)
    assert keys_of(pool, path)[0] == sorted(DONE)


def test_a_pool_that_is_given_as_a_link(pool, tmp_path):
    (tmp_path / "link").symlink_to(pool.root)
    (tmp_path / "l.txt").write_text("\n".join(str(pool.root / key) for key in DONE))
    assert keys_of(images(tmp_path / "link"), tmp_path / "l.txt")[0] == sorted(DONE)


def test_other_images_of_the_same_names_are_not_meant(pool, tmp_path, excluded):
    """Paths that are there and lie elsewhere, also below another folder of the pool's name."""
    for key in DONE:
        write(tmp_path / "drive" / key, picture(9))
    with pytest.raises(InputError, match=r"none of .*drive/1\.png', the pool has '0\.png'"):
        excluded("\n".join(str(tmp_path / "drive" / key) for key in DONE), "l.txt")
    with pytest.raises(InputError, match="none of the names"):
        excluded("/mnt/2025/1.png\n", "l.txt")


def test_a_folder_of_labelled_images(pool, tmp_path):
    for key in DONE:
        write(tmp_path / "copy" / key, (pool.root / key).read_bytes())
        write(tmp_path / "classes/cat" / key.rpartition("/")[2], (pool.root / key).read_bytes())
    for folder in ("copy", "classes"):
        assert keys_of(pool, tmp_path / folder)[0] == sorted(DONE)
    assert keys_of(pool, pool.root / "a b")[0] == sorted(DONE[1:])
    write(tmp_path / "classes/cat/1.png", picture(3, (9, 9)))  # another picture of the name
    assert keys_of(pool, tmp_path / "classes")[0] == sorted(DONE[1:])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no images"):
        keys_of(pool, tmp_path / "empty")


def test_keys_and_paths_of_images_themselves(pool, tmp_path):
    assert keys_of(pool, *DONE)[0] == sorted(DONE)
    assert keys_of(pool, [*DONE])[0] == sorted(DONE)
    assert keys_of(pool, *(pool.root / key for key in DONE))[0] == sorted(DONE)
    found, done = keys_of(pool, *DONE, "gone.png")
    assert (found, done.absent) == (sorted(DONE), ("gone.png",))
    with pytest.raises(InputError, match=r"^labelled: none of the names"):
        keys_of(pool, "gone.png")
    with pytest.raises(InputError, match=r"^labelled=gone.txt: cannot be read: No such file"):
        keys_of(pool, "0.png", "gone.txt")
    with pytest.raises(InputError, match=r"^labelled=: is empty"):
        keys_of(pool, "")


def test_little_that_matches_stops_unless_told(excluded):
    names = [*DONE, "x.png", "y.png", "z.png"]
    found, done = excluded("\n".join(names), "l.txt")
    assert found == sorted(DONE)
    assert done.in_words() == "labelled: 3, 3 not in the pool, such as 'x.png'"
    rule = (
        r"^labelled=.*l\.txt: only 3 of the 7 names in it are in the pool: it has 'x\.png', the "
        r"pool has '0\.png'; labelled_missing=ok goes on without them$"
    )
    with pytest.raises(InputError, match=rule):
        excluded("\n".join([*names, "w.png"]), "l.txt")
    found, done = excluded("\n".join([*names, "w.png"]), "l.txt", "ok")
    assert (found, len(done.absent)) == (sorted(DONE), 4)
    assert excluded("x.png", "l.txt", "ok")[0] == []
    with pytest.raises(InputError, match="unknown labelled_missing 'maybe'"):
        excluded("0.png", "l.txt", "maybe")


def test_one_source_does_not_hide_another(pool, tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(KEYS))
    (tmp_path / "b.txt").write_text("other.png\n")
    with pytest.raises(InputError, match=r"b\.txt: none of the names"):
        keys_of(pool, tmp_path / "a.txt", tmp_path / "b.txt")


def test_rows_without_a_label_are_not_labelled(excluded):
    tasks = studio(DONE) + studio(["0.png"], annotations=())
    found, done = excluded(tasks)
    assert found == sorted(DONE)
    assert "1 of its rows have no label" in done.in_words()
    assert excluded(studio(DONE, annotations=()))[0] == sorted(DONE)  # sent out, and to come
    assert excluded(studio(DONE, annotations=[{"was_cancelled": True}]))[0] == sorted(DONE)
    table = rows([("1.png", "cat"), ("0.png", "")], ("image", "label"))
    assert excluded(table, "l.csv")[0] == ["1.png"]


def test_a_start_that_was_cut_off_is_told(excluded):
    _, done = excluded([f"https://x.example.com/y/{quote(key)}" for key in DONE])
    assert "names are what follows 'x.example.com/y/'" in done.in_words()


def test_names_that_several_files_have_are_not_guessed(tmp_path, excluded):
    for folder in "ab":
        write(tmp_path / "twice" / folder / "1.png", picture(1))
    (tmp_path / "s.json").write_text(json.dumps(studio(["/data/upload/1/0a1b2c3d-1.png"])))
    with pytest.raises(InputError, match="none of the names"):
        keys_of(images(tmp_path / "twice"), tmp_path / "s.json")


def test_nothing_labelled_yet(excluded):
    for content, name in (
        ("", "l.txt"),
        ("\ufeff", "l.csv"),
        ("[]", "l.json"),
        ("\n\n", "l.jsonl"),
    ):
        found, done = excluded(content, name)
        assert (found, done.in_words().startswith("labelled: 0")) == ([], True)
    assert excluded("image,label\n", "l.csv")[0] == []
    assert excluded(RECORD, "r.jsonl")[0] == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.jsonl", '{"key": "0.png"}\n{"key": \n', r"l\.jsonl: cannot be read: line 2 is no JSON"),
        ("l.jsonl", '{"key": "0.png"}\n{"id": 3}\n', r"line 2 in the column 'key': has no name"),
        ("l.json", "[" * 100_000, r"l\.json: cannot be read: line 1 is no JSON"),
        ("l.json", '{"n": ' + "9" * 5000 + "}", "line 1 is no JSON: Exceeds the limit"),
        ("l.json", "gone.png", "line 1 is no JSON"),
        ("l.json", '[{"image": [3]}]', "holds no names of images"),
        ("l.json", "3", "holds no names of images"),
        ("l.txt", b"0.png\nh\xf6he.png\n", r"line 2 is not UTF-8; save it as UTF-8"),
        ("l.txt", b"0.png\n\0\n", "line 2 holds a NUL byte"),
        ("l.txt", "0.png\n".encode("utf-16-le"), "line 1 holds a NUL byte"),
        ("l.jsonl", '{"key": "0.png"}\n{"key": "a\\u0000"}', r"line 2 .*'a\\x00' holds a NUL byte"),
        ("l.jsonl", '{"key": "0.png"}\n{"key": "\\ud800"}', r"line 2 .*'\\ud800' is not UTF-8"),
        ("l.txt", "a" * 100_000, "none of the names"),
        ("l.txt", "a/" * 50_000, "none of the names"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(excluded, name, content, message):
    with pytest.raises(InputError, match=message) as caught:
        excluded(content, name)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_refused(pool, tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(InputError, match=r"pipe\.txt: cannot be read: it is no regular file"):
        keys_of(pool, tmp_path / "pipe.txt")
    with pytest.raises(InputError, match="/dev/zero: cannot be read"):
        keys_of(pool, "/dev/zero")


def test_keys_of_a_set_without_files(tmp_path):
    digits = images("digits")
    (tmp_path / "l.csv").write_text(rows([(key, "x") for key in digits.keys[:3]], ("key", "label")))
    assert labelled.find([tmp_path / "l.csv"], digits).ids.tolist() == [0, 1, 2]
    (tmp_path / "s.json").write_text(json.dumps(studio(f"https://x/{k}" for k in digits.keys[:3])))
    assert labelled.find([tmp_path / "s.json"], digits).ids.tolist() == [0, 1, 2]


STARTS = st.sampled_from(("", "./", "{root}/", "{root}/./", "{root}/c/../", "file://{root}/"))
HEADERS = st.sampled_from(("image", "Image", "key", " file_name ", "what it is"))
DELIMITERS = st.sampled_from(",;\t|")
QUOTING = st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    done=st.lists(st.sampled_from(KEYS), min_size=1, unique=True),
    start=STARTS,
    backslashes=st.booleans(),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
    end=st.sampled_from(("\n", "\r\n", "\r")),
    table=st.none() | st.tuples(DELIMITERS, QUOTING, st.none() | HEADERS, st.booleans()),
)  # fmt: skip
def test_any_way_of_writing_keys_gives_the_same_ids(
    pool, tmp_path, done, start, backslashes, encoding, end, table
):
    start = start.replace("{root}", str(pool.root))
    address = start.startswith("file:")
    names = [start + (quote(key) if address else key) for key in done]
    if backslashes and not address:
        names = [name.replace("/", "\\") for name in names]
    if table is None:
        text = end.join(names)
    else:
        delimiter, quoting, header, first = table
        pairs = [(name, "a label") if first else ("a label", name) for name in names]
        heads = ((header, "tag") if first else ("tag", header)) if header else ()
        text = rows(pairs, heads, delimiter=delimiter, quoting=quoting, lineterminator=end)
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    assert keys_of(pool, path)[0] == sorted(done)


def test_the_library_takes_all_of_them(pool, tmp_path):
    import salx

    (tmp_path / "l.csv").write_text(rows([(key, "x") for key in DONE], ("image", "label")))
    rest = set(KEYS) - set(DONE)
    for done in (
        tmp_path / "l.csv",
        str(tmp_path / "l.csv"),
        DONE,
        [tmp_path / "l.csv"],
        iter(DONE),
    ):
        selection = salx.select(pool, None, "random", budget=3, labelled=done)
        assert set(selection.keys) == rest
        assert selection.labelled.tolist() == [pool.keys.index(key) for key in sorted(DONE)]
    with pytest.raises(salx.InputError, match=r"^labelled=5 is no file, key or Selection"):
        salx.select(pool, None, "random", budget=3, labelled=5)
    with pytest.raises(salx.InputError, match=r"^labelled: none of .*labelled_missing=ok"):
        salx.select(pool, None, "random", budget=3, labelled=["x.png"])
    options = {"labelled": ["x.png"], "labelled_missing": "ok"}
    assert len(salx.select(pool, None, "random", budget=6, **options)) == 6
    assert isinstance(np.array(selection.ids), np.ndarray)


def test_the_command_says_how_many_match(choose, pool, tmp_path):
    (tmp_path / "l.csv").write_text(rows([(key, "x") for key in [*DONE, "z.png"]], ("image", "n")))
    flags = [f"--pool={pool.root}", "--policy=random", f"--out={tmp_path}/p.jsonl"]
    code, out, err = choose(*flags, "--budget=3", f"--labelled={tmp_path}/l.csv")
    assert code == 0, err
    assert "labelled: 3, 1 not in the pool, such as 'z.png'\n" in out
    shutil.copy(tmp_path / "p.jsonl", tmp_path / "first.jsonl")
    (tmp_path / "p.jsonl").unlink()
    code, _, err = choose(
        *flags, "--budget=1", *(f"--labelled={tmp_path}/{n}" for n in ("l.csv", "first.jsonl"))
    )
    assert (code, err.count("\n")) == (2, 1)  # none is left
    (tmp_path / "other.txt").write_text("y.png\n")
    code, out, err = choose(*flags, "--budget=1", f"--labelled={tmp_path}/other.txt")
    assert (code, out, err) == (
        2,
        "",
        f"salx: --labelled={tmp_path}/other.txt: none of the names in it is in the pool: it has "
        "'y.png', the pool has '0.png'; --labelled_missing=ok goes on without them\n",
    )
    more = (f"--labelled={tmp_path}/other.txt", "--labelled_missing=ok")
    assert choose(*flags, "--budget=1", *more)[0] == 0
    code, _, err = choose(*flags, "--budget=1", "--labelled=")
    assert (code, err) == (2, "salx: --labelled=: is empty\n")
    code, _, err = choose("--pool=", "--policy=random", "--budget=1", f"--out={tmp_path}/q.jsonl")
    assert (code, err) == (2, "salx: --pool=: is empty\n")
