"""The folder that all tests share is one that this machine can load from."""

import os
import subprocess
import sys

import jax
import pytest

from tests import compilation_cache


def test_this_process_and_its_children_share_one_folder(compiled):
    folder = os.environ.get(compilation_cache.FOLDER)
    if not folder:
        pytest.skip("jax rejects a reload on this machine")
    assert jax.config.jax_compilation_cache_dir == folder
    code = "import jax; print(jax.config.jax_compilation_cache_dir)"
    child = subprocess.run([sys.executable, "-c", code], env=compiled, stdout=subprocess.PIPE)
    assert child.stdout.decode().strip() == folder


def test_what_a_killed_writer_left_is_removed(tmp_path):
    whole = compilation_cache.zlib.compress(bytes(1000))
    (tmp_path / "a-cache").write_bytes(whole)
    (tmp_path / "b-cache").write_bytes(whole[:-3])
    compilation_cache.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a-cache"]


def test_a_folder_that_cannot_be_used_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(compilation_cache.FOLDER, str(tmp_path / "file" / "cache"))
    assert "file" in compilation_cache.share()
    assert compilation_cache.FOLDER not in os.environ


def test_a_reload_that_computes_something_else_is_no_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "TRIAL", "import os; print([os.getpid()], True)")
    monkeypatch.setenv(compilation_cache.FOLDER, str(tmp_path))
    assert compilation_cache.share() == "what was loaded computes something else"
    assert compilation_cache.FOLDER not in os.environ
