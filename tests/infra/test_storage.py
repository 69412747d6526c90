import importlib.util
import socket
import subprocess
import sys

import pytest

from salx.infra import storage
from salx.infra.errors import InputError


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
    with pytest.raises(OSError, match="disk full"):
        storage.write_file(path, b"new")
    assert path.read_bytes() == b"old"


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
from salx.commands.report import main
storage.ANSWER = 0.2
sys.exit(main(["gs://bucket/w"]))
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
    assert process.stderr == "gs://bucket/w: cannot be read: no answer\n"


def test_a_bucket_that_refuses_is_one_clear_line(bucket, monkeypatch):
    import gcsfs

    def refused(*_, **__):
        raise gcsfs.retry.HttpError({"code": 401, "message": "Anonymous caller\nand more"})

    monkeypatch.setattr(gcsfs.GCSFileSystem, "call", refused)
    with pytest.raises(InputError, match=r"^gs://bucket/w: cannot be read: Anonymous caller"):
        storage.resolve("gs://bucket/w")
