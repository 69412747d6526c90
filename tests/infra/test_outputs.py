"""What outputs must spare: inputs, pools, links, and files that are there."""

import os

import pytest

from salx.infra.errors import ArgumentError, RunError
from salx.infra.outputs import Guard, Input
from tests.limits import full_disk


@pytest.fixture
def tree(tmp_path):
    """A pool, a file of weights, and links to both."""
    for name in ("pool/a.png", "net.npz", "list/a.png", "elsewhere/b.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "linked").symlink_to("pool")
    (tmp_path / "link.npz").symlink_to("net.npz")
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "pool/link.png").symlink_to("../elsewhere/b.png")
    os.link(tmp_path / "net.npz", tmp_path / "hard.npz")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.fixture
def guard(tree):
    return Guard(
        (
            Input(tree / "pool", "pool"),
            Input(tree / "pool", "pool", ["a.png", "link.png"]),
            Input(tree / "link.npz", "surrogate"),
            Input(tree / "list", "pool", ["a.png"]),
        ),
        overwrite=True,
    )


REFUSED = {
    "net.npz": "is surrogate already",
    "./pool/../net.npz": "is surrogate already",
    "linked/../net.npz": "is surrogate already",
    "hard.npz": "is a file of surrogate",
    "pool/new.csv": "lies in pool, where nothing is written",
    "linked/new.csv": "lies in pool",
    "linked/deep/er/new.csv": "lies in pool",
    "list/a.png": "is a file of pool",
    "elsewhere/b.png": "is a file of pool",
    "link.npz": "is a link, and nothing is written through a link",
    "nowhere": "is a link",
    "pool": "is a folder",
    "elsewhere": "is a folder",
    "pipe": "is no file",
    "net.npz/x": "net.npz is not a folder that can be written",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_read_is_never_written_even_to_overwrite(tree, guard, name):
    with pytest.raises(ArgumentError) as error:
        guard.write("csv", tree / name, b"new")
    assert str(error.value).startswith(f"csv={tree / name}: ")
    assert REFUSED[name] in str(error.value)
    assert (tree / "net.npz").read_bytes() == b"net.npz"


@pytest.mark.parametrize("name", ["list/new.csv", "new.csv", "deep/er/new.csv", "pool2/x.csv"])
def test_what_is_new_is_written(tree, guard, name):
    guard.write("csv", tree / name, b"new")
    assert (tree / name).read_bytes() == b"new"


def test_a_file_that_is_there_stays_unless_it_holds_just_that_or_may_be_replaced(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"mine")
    number = path.stat().st_ino
    with pytest.raises(ArgumentError, match=r"^csv=.*p\.csv: is there already; overwrite replaces"):
        Guard().write("csv", path, b"new")
    with pytest.raises(ArgumentError, match="is there already"):
        Guard().free("csv", path)
    Guard().write("csv", path, b"mine")
    assert (path.read_bytes(), path.stat().st_ino) == (b"mine", number)
    Guard(overwrite=True).write("csv", path, b"new")
    assert path.read_bytes() == b"new"


def test_no_folder_below_another_may_be_a_link(tree):
    (tree / "copy").mkdir()
    (tree / "copy/deep").symlink_to("../elsewhere")
    with pytest.raises(ArgumentError, match=r"copy=.*copy/deep: is a link"):
        Guard().check_below("copy", tree / "copy", tree / "copy/deep/x/y.png")
    Guard().check_below("copy", tree / "copy", tree / "copy/other/x/y.png")


def test_a_full_disk_is_named_with_the_file(tmp_path):
    with full_disk(10), pytest.raises(RunError, match=r"p\.csv: cannot be written: File too large"):
        Guard().write("csv", tmp_path / "p.csv", b"x" * 11)
    assert list(tmp_path.iterdir()) == []
