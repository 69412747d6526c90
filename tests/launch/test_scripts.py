"""The launch scripts, as a new user runs them."""

import os
import subprocess

import pytest

from tests.builders import ROOT


def run(command, cwd=ROOT, **env):
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=900
    )


@pytest.mark.parametrize("script", ["quickstart.sh", "test.sh"])
def test_help_says_how(script):
    process = run([f"launch/{script}", "--help"])
    assert process.returncode == 0
    assert f"./launch/{script} [" in process.stdout


def test_a_python_that_will_not_do_is_one_clear_line(tmp_path):
    assert run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")]).returncode == 0
    process = run(["launch/quickstart.sh"], tmp_path / "clone", PYTHON="false")
    assert process.returncode != 0
    assert process.stderr == (
        "salx: needs Python 3.11 or 3.12 on the PATH (or PYTHON=/path/to/python)\n"
    )
    assert not (tmp_path / "clone" / ".venv").exists()


@pytest.mark.slow
def test_a_fresh_clone_runs_the_quickstart(tmp_path):
    """Everything but its length: one seed, two cycles."""
    clone = tmp_path / "clone"
    assert run(["git", "clone", "--quiet", str(ROOT), str(clone)]).returncode == 0
    short = ["--config.seeds=1", "--config.cycles=2", "--config.deploy_cycles=()"]
    command = [str(clone / "launch" / "quickstart.sh"), "results here", *short]
    first = run([*command, "--config.budget=0.04"], tmp_path)
    assert first.returncode == 0, first.stderr
    page = tmp_path / "results here" / "report" / "index.html"
    assert first.stdout.splitlines()[-1] == f"report: {page}"
    assert page.exists()
    again = run([*command, "--config.budget=0.04"], tmp_path)
    assert again.stdout.splitlines()[0].endswith("this study is finished; nothing to do")
    assert run(["git", "status", "--porcelain"], clone).stdout == ""
