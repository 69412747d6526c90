"""The wheel, installed outside the tree, and used from a folder that has nothing of the tree."""

import shutil
import subprocess
import sys
import zipfile

import pytest

from salx.infra import sealed
from tests.builders import ROOT

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "requirements.txt")
OWN_CONFIG = """
from salx.study.config import base

def get_config():
    config = base()
    config.models.own = {"name": "cifar_resnet8", "width": 4}
    config.surrogates = config.deployments = ("own",)
    config.cycles, config.seeds, config.budget = 2, 1, 0.04
    config.train.batch, config.train.steps = 8, 4
    return config
"""


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of the tree, as building writes beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        ROOT / "salx", folder / "tree" / "salx", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / "tree" / name)
    pip("wheel", "--no-build-isolation", "--no-deps", "-w", str(folder), str(folder / "tree"))
    (wheel,) = folder.glob("salx-*.whl")
    return wheel


@pytest.fixture(scope="module")
def run(wheel, compiled):
    """(folder, *command) -> what the installed package's command, run in the folder, prints."""
    site = wheel.parent / "site"
    pip("install", "--no-index", "--no-deps", "--target", str(site), str(wheel))

    def ran(folder, *command):
        process = subprocess.run(
            [*map(str, command)],
            env={**compiled, "PYTHONPATH": str(site)},
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    ran.salx = site / "bin" / "salx"
    return ran


def test_the_wheel_has_every_file_of_the_package(wheel):
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "salx").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "salx/py.typed" in names
    assert {name for name in names if name.startswith("salx/")} == files
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "\nRequires-Dist: jax" in text
    assert f"\nVersion: {wheel.name.split('-')[1]}\n" in text


@pytest.mark.slow
def test_select_and_report_run_outside_the_tree(run, finished, tmp_path):
    workdir, _ = finished
    where = run(tmp_path, sys.executable, "-c", "import salx; print(salx.__file__)")
    assert not where.startswith(str(ROOT))
    surrogate = workdir / "deployments" / "b.on.a.entropy.s0.c02"
    flags = ("--pool=digits", "--policy=entropy", "--budget=5")
    run(tmp_path, run.salx, "select", f"--surrogate={surrogate}", *flags, "--out=picks.jsonl")
    assert len((tmp_path / "picks.jsonl").read_text().splitlines()) == 6

    copy = shutil.copytree(workdir, tmp_path / "w", ignore=shutil.ignore_patterns("report"))
    run(tmp_path, run.salx, "report", "w")
    assert (copy / "report" / "index.html").exists()


@pytest.mark.slow
def test_a_users_own_config_runs_outside_the_tree(run, tmp_path):
    (tmp_path / "own_config.py").write_text(OWN_CONFIG)
    main = (sys.executable, "-m", "salx.main", "--config=own_config.py", "--workdir=w")
    assert "3 of 3 training runs done." in run(tmp_path, *main)
    result = tmp_path / "w" / "deployments" / "own.on.own.entropy.s0.c01" / "result.json"
    assert sealed.read_json(result)["value"] > 0
