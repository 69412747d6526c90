"""`kill -9` at random moments of a real study, until it is through."""

import random
import signal
import time

import pytest

from tests.builders import content
from tests.processes import start


def writing(workdir) -> bool:
    """Whether a checkpoint or a file is being written right now."""
    return any(workdir.glob("deployments/*/checkpoint/*tmp*")) or any(workdir.glob("*/*/.*.tmp"))


def killed(workdir, env, draw: random.Random) -> bool:
    """Starts the study and kills it at a random moment of its work; False if it was faster.

    Every other time the moment is while something is being written.
    """
    process = start(workdir, env)
    lock = workdir / ".lock"
    while process.poll() is None and not (
        lock.exists() and lock.read_text().startswith(f"process {process.pid} ")
    ):
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 2.5))
    if draw.random() < 0.5:
        while process.poll() is None and not writing(workdir):
            time.sleep(0.001)  # the study needs the processor
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_killed_studies_end_like_undisturbed_ones(salx, finished, compiled, tmp_path, kills):
    expected = content(finished[0])
    draw, done, study = random.Random(kills), 0, 0
    while done < kills:
        workdir = tmp_path / f"killed{study}"
        if killed(workdir, compiled, draw):
            done += 1
        else:
            assert content(workdir) == expected
            study += 1
    process = salx(workdir)
    assert process.returncode == 0, process.stderr
    assert content(workdir) == expected
    assert not writing(workdir)
