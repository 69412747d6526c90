"""`kill -9`, and SIGTERM, at random moments of a real study, until it is through."""

import os
import random
import signal
import time

import pytest

from tests.builders import content
from tests.processes import start


def writing(workdir) -> bool:
    """Whether a checkpoint or a file is being written right now."""
    return any(workdir.glob("deployments/*/checkpoint/*tmp*")) or any(workdir.glob("*/*/.*.tmp"))


def killed(workdir, env, draw: random.Random, sent: int = signal.SIGKILL) -> bool:
    """Starts the study and ends it at a random moment of its work; False if it was faster.

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
    process.send_signal(sent)
    return process.wait() == (os.EX_TEMPFAIL if sent == signal.SIGTERM else -sent)


@pytest.mark.parametrize(
    ("sent", "kills"),
    [
        (signal.SIGKILL, 2),
        (signal.SIGTERM, 3),
        pytest.param(signal.SIGKILL, 25, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 25, marks=pytest.mark.slow),
    ],
)
def test_killed_studies_end_like_undisturbed_ones(salx, finished, compiled, tmp_path, sent, kills):
    expected = content(finished[0])
    draw, done, study = random.Random(kills), 0, 0
    while done < kills:
        workdir = tmp_path / f"killed{study}"
        if killed(workdir, compiled, draw, sent):
            done += 1
        else:
            assert content(workdir) == expected
            study += 1
    process = salx(workdir)
    assert process.returncode == 0, process.stderr
    assert content(workdir) == expected
    assert not writing(workdir)
