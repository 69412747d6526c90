"""Several real processes over loopback, with two devices each: one study, one end."""

import shutil
import signal

import jax
import numpy as np
import pytest

from salx.infra import checkpoint, multihost, sealed
from tests.builders import ROOT, picks
from tests.processes import SHORT, ended, short_picks, start, started, wait_for_a_checkpoint


def test_two_processes_choose_what_one_does(finished, compiled, tmp_path):
    with started(2, tmp_path, compiled) as running:
        assert ended(running) == ([0, 0], [[], []])
    assert picks(tmp_path) == short_picks(finished[0])
    path = "deployments/a.on.a.entropy.s0.c02/result.json"
    result, alone = sealed.read_json(tmp_path / path), sealed.read_json(finished[0] / path)
    assert result["environment"]["processes"] == 2
    assert result["environment"]["devices"] == 4
    assert result["value"] == pytest.approx(alone["value"], abs=0.01)
    assert (tmp_path / "report" / "index.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_others_and_the_next_run_goes_on(
    finished, compiled, tmp_path, victim
):
    with started(2, tmp_path, compiled) as running:
        wait_for_a_checkpoint(running, tmp_path)
        running[victim].kill()
        codes, lines = ended(running, timeout=60)
        assert codes[victim] == -signal.SIGKILL
        assert codes[1 - victim] not in (0, None)
        if victim == 1:  # process 0 is there to say so
            assert lines[0][-1].startswith("salx: process 0: JaxRuntimeError")
    with started(2, tmp_path, compiled) as running:
        assert ended(running)[0] == [0, 0]
    assert picks(tmp_path) == short_picks(finished[0])


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "then"), [(0, 2), (1, 1), (1, 4)])
def test_sigterm_to_one_ends_all_with_75_and_any_number_goes_on(
    finished, compiled, tmp_path, asked, then
):
    with started(2, tmp_path, compiled) as running:
        wait_for_a_checkpoint(running, tmp_path)
        running[asked].terminate()
        codes, lines = ended(running, timeout=60)
    assert codes == [75, 75]
    assert lines == [["salx: stopped by SIGTERM; the same command goes on from here"], []]
    with started(then, tmp_path, compiled) as running:
        assert ended(running)[0] == [0] * then
    assert picks(tmp_path) == short_picks(finished[0])
    done = [path.parent for path in tmp_path.glob("deployments/*/result.json")]
    assert len(done) == 4
    for run in done:
        ours = checkpoint.finished(run)[2]
        undisturbed = checkpoint.finished(finished[0] / "deployments" / run.name)[2]
        for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(undisturbed), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


def test_sigterm_to_a_process_on_its_own(finished, salx, compiled, tmp_path):
    process = start(tmp_path, compiled, *SHORT)
    wait_for_a_checkpoint([process], tmp_path)
    process.terminate()
    codes, lines = ended([process], timeout=60)
    assert codes == [75]
    assert lines == [["salx: stopped by SIGTERM; the same command goes on from here"]]
    assert salx(tmp_path, *SHORT).returncode == 0
    assert picks(tmp_path) == short_picks(finished[0])


PATCHED = """
import sklearn.datasets
real = sklearn.datasets.load_digits
def load_digits():
    bunch = real()
    bunch.images[3, 4, 4] += 1
    return bunch
sklearn.datasets.load_digits = load_digits
import sys
from salx.commands.study import main
sys.exit(main(sys.argv[1:]))
"""


def changed_code(tmp_path):
    shutil.copytree(ROOT / "salx", tmp_path / "code" / "salx")
    with open(tmp_path / "code" / "salx" / "infra" / "seeds.py", "a") as file:
        file.write("# one line more\n")
    return tmp_path / "code"


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", ["config", "data", "code", "share", "bad config", "folder"])
def test_a_process_that_differs_is_refused_with_what_differs(compiled, tmp_path, count, what):
    last, odd = count - 1, {}
    if what == "config":
        odd = {"other": ["--config.train.batch=16"]}
        message = f"process {last} differs from process 0: config.train.batch 8 -> 16"
    elif what == "data":
        odd = {"code": ("-c", PATCHED)}
        message = f"process {last} differs from process 0: data 'sha256:"
    elif what == "code":
        odd = {"path": changed_code(tmp_path)}
        message = f"process {last} differs from process 0: code '"
    elif what == "share":
        odd = {"other": ["--worker=1/2"]}
        message = f"process {last} differs from process 0: worker [0, 1] -> [1, 2]"
    elif what == "bad config":
        odd = {"other": ["--config.train.batch=15"]}
        message = "config.train.batch=15 must be even"
    else:
        odd = {"other": [f"--workdir={tmp_path / 'elsewhere'}"]}
        message = "must be one folder that all processes share"
    with started(count, tmp_path / "w", compiled, **odd) as running:
        codes, lines = ended(running, timeout=120)
    assert codes == [2] * count
    assert len(lines[0]) == 1
    assert message in lines[0][0]
    assert lines[1:] == [[]] * last
    assert not (tmp_path / "w" / "selections").exists()


@pytest.mark.parametrize("flag", ["--coordinator=localhost:1", "--processes=2", "--process=0"])
def test_flags_that_go_together(salx, tmp_path, flag):
    process = salx(tmp_path, flag)
    assert process.returncode == 2
    assert process.stderr == "salx: --coordinator, --processes and --process go together\n"


@pytest.mark.parametrize(
    ("environment", "several"),
    [
        ({}, False),
        ({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, False),  # a batch script
        ({"SLURM_JOB_ID": "7", "SLURM_STEP_NUM_TASKS": "1"}, False),
        ({"SLURM_JOB_ID": "7", "SLURM_STEP_NUM_TASKS": "4"}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "1"}, True),
    ],
)
def test_launchers_that_start_several(monkeypatch, environment, several):
    for name in ("SLURM_STEP_NUM_TASKS", "KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert multihost.launched() is several


def test_a_process_on_its_own_has_no_others():
    assert multihost.is_main()
    assert multihost.run_on_main(lambda a, b: a + b, 1, 2) == 3
    multihost.check_alike({"config": np.nan})  # not even looked at
    multihost.check_stopping()
