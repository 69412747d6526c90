import json
import os

import numpy as np
import pytest

from salx.data import datasets
from salx.infra import sealed
from salx.infra.errors import InputError
from tests.data.files import mask_tree, picture, write


@pytest.fixture
def files(tmp_path):
    """Four pictures in a/ and their masks."""
    mask_tree(tmp_path, 4, split="")
    return tmp_path


def load(root, labels="list.csv", **options):
    return datasets.load({"name": "folder", "dir": str(root), "labels": labels, **options})


def refused(files, text, match, **options):
    (files / "list.csv").write_text(text)
    with pytest.raises(InputError, match=match):
        load(files, **options)


def test_a_list_gives_images_and_labels_in_its_order(files):
    (files / "list.csv").write_text("image,label\nimages/2.png,no\n./images/0.png,yes\n")
    found = load(files)
    assert (found.classes, found.pool.keys) == (("no", "yes"), ["images/2.png", "images/0.png"])
    assert [int(found.pool[index]["label"]) for index in range(2)] == [0, 1]
    assert (found.pool[1]["image"] == picture(0)).all()
    assert len(found.val) == 0
    assert load(files, classes=("yes", "no")).pool[0]["label"] == 1


def test_a_spreadsheets_own_csv_is_read(files):
    text = '\ufeffsplit,label,image\r\nval,"a, b",images/0.png\r\n,c,images/1.png\r\n'
    (files / "list.csv").write_bytes(text.encode())
    found = load(files)
    assert (found.pool.keys, found.val.keys) == (["images/1.png"], ["images/0.png"])
    assert found.classes == ("a, b", "c")


def test_json_lines_give_masks_and_splits(files):
    rows = [
        {"image": f"images/{number}.png", "mask": f"masks/{number}.png", "split": split}
        for number, split in enumerate(["train", "val", "train"])
    ]
    (files / "x.jsonl").write_text("\n\n".join(map(json.dumps, rows)))
    found = load(files, "x.jsonl", task="segmentation", classes=("a", "b", "c"))
    assert found.pool.keys == ["images/0.png", "images/2.png"]
    assert found.val.keys == ["images/1.png"]
    wanted = (np.arange(48).reshape(6, 8) + 1) % 3
    assert found.val[0]["label"].tolist() == wanted.tolist()


def test_json_labels_may_be_numbers(files):
    rows = [{"image": f"images/{number}.png", "label": number} for number in range(2)]
    (files / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert load(files, "x.jsonl").classes == ("0", "1")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("image,label\nimages/0.png,cow\n", r"list\.csv:2: the label 'cow' is no class"),
        ("image,label\nimages/0.png\n", r"list\.csv:2: has no 'label'"),
        ("picture,label\nimages/0.png,a\n", r"list\.csv:2: has no 'image'"),
        ("image,label\n../0.png,a\n", r"list\.csv:2: \.\./0\.png does not lie below"),
        ("image,label\n/etc/passwd,a\n", r"list\.csv:2: /etc/passwd does not lie below"),
        ("image,label\nimages/9.png,a\n", r"list\.csv:2: .*images/9\.png: No such file"),
        ("image,label,split\nimages/0.png,a,test\n", r"list\.csv:2: the split 'test'"),
        (
            "image,label\nimages/0.png,a\nimages/1.png,a\nimages//0.png,a\n",
            r"list\.csv:4: images/0\.png is listed already, line 2",
        ),
        ("image,label\n", "the pool is empty"),
    ],
)
def test_a_lists_faults_are_named_by_line(files, text, match):
    refused(files, text, match, classes=("a", "b"))


def test_a_missing_mask_is_named_by_line(files):
    masks = {"task": "segmentation", "classes": ("a", "b", "c")}
    refused(files, "image,mask\nimages/0.png,masks/9.png\n", r"csv:2: .*masks/9\.png", **masks)
    refused(files, "image,mask\nimages/0.png,../0.png\n", r"csv:2: \.\./0\.png", **masks)


def test_lists_that_cannot_be_read_are_named(files):
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read: No such file"):
        load(files, "gone.csv")
    write(files / "list.csv", b"image,label\n\xff\xfe,a\n")
    with pytest.raises(InputError, match=r"list\.csv: cannot be read"):
        load(files)
    write(files / "x.jsonl", b'{"image": "images/0.png", "label": 1}\n{"image": ')
    with pytest.raises(InputError, match=r"x\.jsonl: cannot be read"):
        load(files, "x.jsonl")
    write(files / "x.jsonl", b"[1, 2]\n")
    with pytest.raises(InputError, match=r"x\.jsonl:1: has no 'image'"):
        load(files, "x.jsonl")


def names_and_labels(found):
    labels = [found.classes[int(found.pool[index]["label"])] for index in range(len(found.pool))]
    return dict(zip(found.pool.keys, labels, strict=True))


PLAIN = {"images/0.png": "cat", "images/1.png": "dog"}
WRITTEN = {
    "as it is": "image,label\nimages/0.png,cat\nimages/1.png,dog\n",
    "spaces in the header": "image, label\nimages/0.png,cat\nimages/1.png,dog\n",
    "capitals in the header": "Image,LABEL \nimages/0.png,cat\nimages/1.png,dog\n",
    "spaces": "image, label\nimages/0.png , cat\n images/1.png,dog  \n",
    "quotes after spaces": 'image, label\nimages/0.png, "cat"\nimages/1.png, "dog"\n',
    "semicolons": "image;label\r\nimages/0.png;cat\r\nimages/1.png;dog\r\n",
    "tabs": "image\tlabel\nimages/0.png\tcat\nimages/1.png\tdog\n",
    "a spreadsheet's first line": "sep=;\nimage;label\nimages/0.png;cat\nimages/1.png;dog\n",
    "old line ends": "image,label\rimages/0.png,cat\rimages/1.png,dog\r",
    "blank rows": "image,label\nimages/0.png,cat\n,\n\nimages/1.png,dog\n , \n",
    "backslashes": "image,label\nimages\\0.png,cat\n.\\images\\1.png,dog\n",
    "detours": "image,label\nmasks/../images/0.png,cat\n.//images/1.png,dog\n",
    "absolute": "image,label\n{root}/images/0.png,cat\n{real}/images/1.png,dog\n",
    "addresses": "image,label\nfile://{root}/images/0.png,cat\nimages%2F1.png,dog\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("way", WRITTEN)
def test_a_table_may_be_written_in_many_ways(files, tmp_path_factory, way, encoding):
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(files)
    text = WRITTEN[way].replace("{root}", str(link)).replace("{real}", os.path.realpath(files))
    (files / "LIST.CSV").write_bytes(text.encode(encoding))
    found = load(link, "LIST.CSV")
    assert names_and_labels(found) == PLAIN
    (files / "plain.csv").write_text(WRITTEN["as it is"])
    assert found.fingerprint == load(files, "plain.csv").fingerprint


def test_json_lines_with_a_mark_and_odd_line_ends(files):
    rows = [{"image": name, "label": label, "n": "a\u2028b"} for name, label in PLAIN.items()]
    text = "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (files / "LIST.JSONL").write_text(text, encoding="utf-8")
    assert names_and_labels(load(files, "LIST.JSONL")) == PLAIN


def test_names_that_look_odd_are_taken_as_they_are(files):
    """A file of this very name goes before what the name may mean elsewhere."""
    for name in ("a\\b.png", " c.png", "d%20e.png", "f,g.png"):
        write(files / name, picture(5))
    (files / "list.csv").write_text('image\na\\b.png\n c.png\nd%20e.png\n"f,g.png"\n')
    assert load(files).pool.keys == ["a\\b.png", " c.png", "d%20e.png", "f,g.png"]


def test_spaces_around_labels_make_no_classes(files, caplog):
    text = "image,label\n" + "".join(
        f"images/{number}.png,{label}\n" for number, label in enumerate(("cat", " cat", "cat "))
    )
    (files / "list.csv").write_text(text)
    assert load(files).classes == ("cat",)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "list.csv: spaces around 2 labels do not count: line 3: ' cat'" in line


LINES = [
    ('"label": NaN', "'label' is nan, and has to be text or a whole number"),
    ('"label": 1.5', "'label' is 1.5"),
    ('"label": true', "'label' is True"),
    ('"label": ["cat"]', "'label' is \\['cat'\\]"),
    ('"label": {}', "'label' is {}"),
    ('"label": "a\\u0000b"', r"the label a\\x00b holds a NUL byte"),
    ('"label": "\\ud800"', r"the label \\ud800 is not UTF-8"),
    ('"image": 5', "'image' is 5, and has to be text"),
    ('"image": "a\\u0000b"', r"the image a\\x00b holds a NUL byte"),
    ('"image": "\\udcff.png"', "is not UTF-8"),
    (f'"image": "{"x" * 300}.png"', "is too long: a part of a path has at most 255 bytes"),
    (f'"image": "{"x/" * 3000}"', "is too long"),
    ('"image": "."', "is no regular file"),
    ('"image": "images"', "is no regular file"),
    ('"image": "{outside}"', "does not lie below the set's folder"),
    ('"image": "images/../../{name}/images/9.png"', "No such file"),
    ('"split": 0', "'split' is 0"),
    ('"split": "test"', "the split 'test' is neither train nor val"),
    ('"n": ' + "9" * 5000, "is no JSON: Exceeds the limit"),
    ('"n": ' + "[" * 100_000, "is no JSON: maximum recursion"),
]


@pytest.mark.parametrize(("field", "message"), LINES, ids=[line[:30] for line, _ in LINES])
def test_a_line_that_cannot_be_used_is_named(files, tmp_path_factory, field, message):
    outside = write(tmp_path_factory.mktemp("outside") / "0.png", picture(1))
    field = field.replace("{outside}", str(outside)).replace("{name}", files.name)
    good = '{"image": "images/0.png", "label": "cat"}\n'
    line = '{"image": "images/1.png", "label": "dog", ' + field + "}\n"
    (files / "x.jsonl").write_text(good + line)
    with pytest.raises(InputError, match=message) as caught:
        load(files, "x.jsonl")
    assert "x.jsonl" in str(caught.value)
    assert "2" in str(caught.value).partition("x.jsonl")[2][:25]
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,image\nimages/0.png,a\n", "two of its columns are called 'image'"),
        ("image,label\nimages/0.png,a,b\n", r"list\.csv:2: has more values than the header"),
        ('image,label\n"images/0.png,a\n', r"list\.csv: cannot be read: line 2 is no CSV"),
        ("image,label\nimages/0\0.png,a\n", r"line 2 holds a NUL byte"),
        ("file,label\nimages/0.png,a\n", r"csv:2: has no 'image' among 'file', 'label'"),
        ("image,label\n" + "x" * 300 + ".png,a\n", "csv:2: x+ is too long"),
        ("image,label\n" + '"' + "x" * 200_000 + '",a\n', "line 2 is no CSV: field larger"),
        ("image,label\nC:\\data\\0.png,a\n", "0.png: No such file"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_named(files, text, message):
    refused(files, text, message)


def test_a_table_that_is_no_text_is_named(files):
    write(files / "list.csv", "image\nimages/0.png\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="line 1 holds a NUL byte, so that it is no text"):
        load(files)
    write(files / "list.csv", "image,label\nimages/0.png,Kühe\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"list\.csv: cannot be read: line 2 is not UTF-8; save"):
        load(files)
    write(files / "list.csv", picture(0))
    with pytest.raises(InputError, match=r"list\.csv: cannot be read: line 1 holds a NUL"):
        load(files)


def test_the_fingerprint_of_a_plain_list_stays(files):
    """Run folders of before name it."""
    (files / "list.csv").write_text(WRITTEN["as it is"])
    sizes = np.array([(files / name).stat().st_size for name in PLAIN], np.int64)
    labels = np.array([0, 1], np.int32)
    marks = sealed.canonical([2, 0, ["cat", "dog"]])
    content = sizes.tobytes() + labels.tobytes()
    assert load(files).fingerprint == datasets.fingerprint([*PLAIN], marks, content, b"")
