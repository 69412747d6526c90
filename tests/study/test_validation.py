"""A study that could measure nothing is refused before it trains."""

import pytest

from salx.infra.errors import InputError
from salx.study.study import Study
from tests import small_study
from tests.data.files import class_tree, write


def refused(root, match, **options):
    config = small_study.get_config()
    config.dataset = {"name": "folder", "dir": str(root), **options}
    with pytest.raises(InputError, match=match):
        Study(config, root / "w").run()
    assert not (root / "w").exists()


def test_a_folder_without_validation_says_what_was_looked_for(tmp_path):
    class_tree(tmp_path, {"cat": 2, "dog": 2})
    refused(
        tmp_path,
        r"config\.dataset: data set 'folder' has no validation images, .*: "
        rf"{tmp_path} has no folder train with one of val, valid, validation, test, testing",
    )


def test_class_folders_alone_have_no_validation(tmp_path):
    class_tree(tmp_path, {"cat": 2, "dog": 2}, split="")
    refused(tmp_path, "no validation images")
    refused(tmp_path, "labels='none' reads a pool alone", labels="none")


def test_a_list_without_the_split_has_no_validation(tmp_path):
    class_tree(tmp_path, {"cat": 2}, split="")
    (tmp_path / "list.csv").write_text("image,label\ncat/0.png,cat\ncat/1.png,cat\n")
    refused(tmp_path, rf"no line of {tmp_path}/list\.csv has the split val", labels="list.csv")


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_validation_of_damaged_files_is_none(tmp_path, on_error):
    class_tree(tmp_path, {"cat": 2, "dog": 2})
    for number in range(2):
        write(tmp_path / "val" / "cat" / f"{number}.png", b"damaged")
    refused(tmp_path, "valid", on_error=on_error)
