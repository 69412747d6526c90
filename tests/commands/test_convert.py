"""Which files `convert` writes, and which it never does."""

import os

import pytest

from salx import commands
from salx.models import weight_files, zoo
from tests.limits import full_disk
from tests.models.nets import in_torch


@pytest.fixture
def files(tmp_path):
    """A file of weights, links to it, and files that are there."""
    weight_files.write(tmp_path / "a.npz", in_torch(zoo.get("cifar_resnet8")(classes=3)))
    for name in ("there.npz", "run/config.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"mine")
    (tmp_path / "link.npz").symlink_to("a.npz")
    (tmp_path / "other.npz").symlink_to("there.npz")
    (tmp_path / "dir").symlink_to(".")
    os.link(tmp_path / "a.npz", tmp_path / "hard.npz")
    return tmp_path


def run(capsys, *words):
    code = commands.main(["convert", *map(str, words)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("a.npz", "there.npz", "is there already; --overwrite replaces it"),
        ("a.npz", "a.npz", "is A already"),
        ("a.npz", "dir/a.npz", "is A already"),
        ("link.npz", "a.npz", "is A already"),
        ("a.npz", "hard.npz", "is a file of A"),
        ("a.npz", "link.npz", "is a link, and nothing is written through a link"),
        ("a.npz", "other.npz", "is a link"),
        ("a.npz", "a.txt", "weights are written as .safetensors or .npz"),
        ("run", "run/new.npz", "lies in A, where nothing is written"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_what_is_there_stays(files, capsys, source, target, message, more):
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    code, err = run(capsys, files / source, files / target, *more)
    if more and target == "there.npz":
        assert (code, err) == (0, "")
        before[files / target] = before[files / "other.npz"] = (files / target).read_bytes()
        assert before[files / target] != b"mine"
    else:
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before


def test_the_same_again_is_no_mistake(files, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(files))
    assert run(capsys, "~/a.npz", "~/new.npz") == (0, "")
    assert (files / "new.npz").exists()
    code, err = run(capsys, "~/a.npz", "~/new.npz")
    assert code == 2
    assert "is there already" in err


def test_a_full_disk_is_one_line(files, capsys):
    with full_disk(5000):
        code, err = run(capsys, files / "a.npz", files / "b.npz")
    assert (code, err) == (1, f"salx: {files}/b.npz: cannot be written: File too large\n")
    assert not (files / "b.npz").exists()
