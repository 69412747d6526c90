"""`--shard=I/N`: whole files, each in exactly one part."""

import argparse

import pytest

from tests import prepared, shards
from tests.builders import ROOT

FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_all_parts_together_have_every_file_in_one(count):
    parts = [shards.files_of(FILES[::-1], index, count) for index in range(count)]
    assert sorted(file for part in parts for file in part) == FILES
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "0/0", "0/2/3"])
def test_what_is_no_part(text):
    with pytest.raises(argparse.ArgumentTypeError, match="I from 0 to N - 1"):
        shards.shard(text)


def test_pytest_collects_only_the_files_of_a_part(compiled):
    files = ["tests/test_records.py", "tests/test_run_folder.py", "tests/infra/test_seeds.py"]
    words = ["-p", "no:xdist", "--collect-only", *files, "--shard=1/2"]
    process = prepared.run("pytest", words, compiled)
    assert process.returncode == 0, process.stdout
    lines = [line for line in process.stdout.splitlines() if "::" in line]
    assert {line.split("::")[0] for line in lines} == shards.files_of(files, 1, 2)
