import json

import numpy as np
import pytest

from salx.data import datasets
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
