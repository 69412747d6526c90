import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from salx.infra import storage
from salx.infra.errors import InputError, RunError
from tests.limits import full_disk


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    """A place that does not exist yet, of each kind."""
    if request.param == "folder":
        return storage.resolve(str(tmp_path / "deep" / "w"))
    request.getfixturevalue("bucket")
    return storage.resolve(f"gs://bucket/{tmp_path.name}/deep/w/")


def test_a_file_is_written_read_replaced_and_removed(place):
    file = place / "x" / "file.json"
    assert not file.exists()
    for content in (b"old", b"", bytes(range(256)) * 999):
        storage.write_file(file, content)
        assert file.exists()
        assert file.read_bytes() == content
    assert [str(path) for path in place.glob("*/*.json")] == [f"{place}/x/file.json"]
    assert str(file.relative_to(place)) == "x/file.json"
    assert [path.name for path in place.iterdir()] == ["x"]
    storage.remove(place)
    storage.remove(place)
    assert not file.exists()


def test_a_file_is_whole_or_absent(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    storage.write_file(path, b"old")
    monkeypatch.setattr(storage.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(InputError, match=r"deep/file\.json: cannot be written: disk full"):
        storage.write_file(path, b"new")
    assert path.read_bytes() == b"old"


def test_nothing_is_written_to_names_that_can_be_foreseen(tmp_path):
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    (tmp_path / ".file.json.tmp").symlink_to(mine)
    (tmp_path / "link").symlink_to(mine)
    storage.write_file(tmp_path / "file.json", b"new")
    assert not storage.write_file(tmp_path / "link", b"new", replace=False)
    assert mine.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".file.json.tmp", "file.json", "link", "mine",
    ]  # fmt: skip
    before = os.umask(0o077)
    storage.write_file(tmp_path / "private", b"new")
    os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("file.json", "private")] == [
        0o666 & ~before, 0o600,
    ]  # fmt: skip


def test_the_longest_names_are_written(tmp_path):
    for name in ("x" * 255, "ä" * 127):
        storage.write_file(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path):
    left = tmp_path / ".result.json.0123456789abcdef.tmp"
    others = [tmp_path / name for name in (".result.json.tmp", ".x.0123.tmp", "y")]
    for path in (left, *others):
        path.write_bytes(b"")
    (tmp_path / ".link.0123456789abcdef.tmp").symlink_to(others[0])
    with storage.unfinished(tmp_path / "z") as alive:
        storage.sweep(tmp_path)
        assert Path(alive.name).exists()
        storage.commit(alive, tmp_path / "z")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".link.0123456789abcdef.tmp", ".result.json.tmp", ".x.0123.tmp", "y", "z",
    ]  # fmt: skip


def test_a_full_disk_stops_a_run_and_names_the_file(tmp_path):
    text = storage.open_append(tmp_path / "metrics.jsonl", "")
    with full_disk(4):
        with pytest.raises(RunError, match=r"deep/file: cannot be written: File too large"):
            storage.write_file(tmp_path / "deep/file", b"12345")
        text.write("12345")
        with pytest.raises(RunError, match="metrics"), storage.writing(tmp_path / "metrics"):
            text.flush()
    text.close()
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert storage.resolve("~/w") == storage.resolve(Path("~/w")) == tmp_path / "w"
    for name in ("a\0b", "a\udcffb", "x" * 256, "gs://b/a\udcffb"):
        with pytest.raises(InputError, match=r"NUL|UTF-8|too long"):
            storage.resolve(name)


def test_a_text_grows_with_every_flush(place):
    path = place / "metrics.jsonl"
    file = storage.open_append(path, "one\n")
    assert path.read_text() == "one\n"
    for line in ("two\n", "three\n"):
        before = path.read_text()
        file.write(line)
        file.flush()
        assert path.read_text() == before + line
    file.close()


@pytest.mark.parametrize("place", ["bucket"], indirect=True)
def test_what_others_write_is_seen_at_once(place):
    """gcsfs would remember what it has listed."""
    import gcsfs

    other = gcsfs.GCSFileSystem(skip_instance_cache=True)
    storage.write_file(place / "a", b"")
    assert [path.name for path in place.iterdir()] == ["a"]
    other.pipe_file(str(place / "b"), b"")
    assert sorted(path.name for path in place.iterdir()) == ["a", "b"]
    assert (place / "b").exists()


def test_a_browser_can_show_what_lies_in_a_bucket(bucket):
    import fsspec

    page = storage.resolve("gs://bucket/w/report/index.html")
    storage.write_file(page, b"<!doctype html>")
    assert fsspec.filesystem("gcs").info(str(page))["contentType"] == "text/html"


def test_a_path_stays_as_it_is(tmp_path):
    assert storage.resolve(tmp_path) is tmp_path
    assert not storage.in_bucket(storage.resolve("relative/folder"))


def test_a_bucket_without_gcsfs_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"gs://bucket/w: a bucket needs gcsfs: pip install"):
        storage.resolve("gs://bucket/w")


SILENT = """
import sys
from salx.infra import storage
from salx.commands import main
storage.ANSWER = 0.2
sys.exit(main(["report", "gs://bucket/w"]))
"""


@pytest.mark.slow
def test_a_bucket_that_keeps_silent_is_one_clear_line(compiled):
    with socket.create_server(("127.0.0.1", 0)) as hole:  # which never accepts
        where = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{hole.getsockname()[1]}"}
        process = subprocess.run(
            [sys.executable, "-c", SILENT],
            env={**compiled, **where, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert process.returncode == 2
    assert process.stderr == "salx: gs://bucket/w: cannot be read: no answer\n"


def test_a_bucket_that_refuses_is_one_clear_line(bucket, monkeypatch):
    import gcsfs

    def refused(*_, **__):
        raise gcsfs.retry.HttpError({"code": 401, "message": "Anonymous caller\nand more"})

    monkeypatch.setattr(gcsfs.GCSFileSystem, "call", refused)
    with pytest.raises(InputError, match=r"^gs://bucket/w: cannot be read: Anonymous caller"):
        storage.resolve("gs://bucket/w")
