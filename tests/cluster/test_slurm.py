"""launch/slurm.sbatch on a real Slurm: an array of jobs of two tasks on two nodes."""

import re
import subprocess
import sys

import pytest

from tests.builders import ROOT, SMALL, content, picks
from tests.cluster import slurm

pytestmark = pytest.mark.cluster
STOPPED = "salx: stopped by SIGTERM; the same command goes on from here"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, compiled):
    if absent := slurm.missing():
        pytest.fail(f"not installed: {', '.join(absent)}: apt-get install slurm-wlm munge")
    with slurm.running(tmp_path_factory.mktemp("slurm"), nodes=2) as env:
        yield {**env, **compiled, "PATH": env["PATH"], "SALX_PYTHON": sys.executable}


def submit(cluster, array, folder, *flags, nodes=2) -> str:
    flags = flags or (f"--config={ROOT}/tests/cluster/study.py:%i", f"--workdir={folder}/%i")
    command = ["sbatch", "--parsable", f"--array={array}", f"--nodes={nodes}"]
    command += ["--ntasks-per-node=1"]
    command += [f"--output={folder}/%a.out", "launch/slurm.sbatch", *flags]
    process = subprocess.run(command, env=cluster, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def shown(cluster, element, field) -> str:
    text = slurm.said(["scontrol", "show", "job", element], cluster)
    return re.search(rf"\b{field}=(\S+)", text).group(1)


def wait(cluster, element, folder, sure, what):
    def there():
        out = folder / f"{element.split('_')[1]}.out"
        failed = shown(cluster, element, "JobState") in ("FAILED", "NODE_FAIL")
        assert not failed, out.read_text() if out.exists() else what
        return sure()

    slurm.wait_until(there, 300, what)


def expected(finished, label):
    """What the whole study chose, for one model and the first seed."""
    other = "b" if label == "a" else "a"
    everything = picks(finished[0]).items()
    return {n: ids for n, ids in everything if ".s0/" in n and f"/{other}." not in n}


def test_an_array_of_jobs_with_a_requeue_a_cancellation_and_a_signal(cluster, finished, tmp_path):
    def saved(index):
        return any((tmp_path / str(index)).glob("deployments/*/checkpoint/[0-9]*"))

    job = submit(cluster, "0-1", tmp_path)
    first, second = f"{job}_0", f"{job}_1"

    wait(cluster, first, tmp_path, lambda: saved(0), "a checkpoint of element 0")
    slurm.said(["scontrol", "requeue", first], cluster)

    wait(cluster, second, tmp_path, lambda: saved(1), "a checkpoint of element 1")
    slurm.said(["scancel", second], cluster)
    gone = lambda: shown(cluster, second, "JobState") == "CANCELLED"  # noqa: E731
    wait(cluster, second, tmp_path, gone, "the cancellation")
    assert STOPPED in (tmp_path / "1.out").read_text()
    done = (tmp_path / "1").glob("deployments/*/result.json")
    before = len(list(done))

    again = f"{submit(cluster, '1', tmp_path)}_1"
    results = lambda: len(list((tmp_path / "1").glob("deployments/*/result.json")))  # noqa: E731
    wait(cluster, again, tmp_path, lambda: results() > before, "a result after the cancellation")
    slurm.said(["scancel", "--signal=TERM", again], cluster)  # as before a time limit

    for element in (first, again):
        through = lambda e=element: shown(cluster, e, "JobState") == "COMPLETED"  # noqa: E731
        wait(cluster, element, tmp_path, through, "the end")
        assert shown(cluster, element, "Restarts") == "1"
    assert shown(cluster, second, "JobState") == "CANCELLED"
    assert STOPPED in (tmp_path / "0.out").read_text()
    assert "exit code 75; back to the queue" in (tmp_path / "1.out").read_text()
    for index, label in enumerate("ab"):
        assert picks(tmp_path / str(index)) == expected(finished, label)
        assert (tmp_path / str(index) / "report" / "index.html").exists()


def test_the_elements_of_an_array_share_one_study(cluster, finished, tmp_path):
    workdir = tmp_path / "w"
    flags = f"--config={SMALL}", f"--workdir={workdir}"
    job = submit(cluster, "0-1", tmp_path, *flags, nodes=1)
    for index in range(2):
        through = lambda e=f"{job}_{index}": shown(cluster, e, "JobState") == "COMPLETED"  # noqa: E731
        wait(cluster, f"{job}_{index}", tmp_path, through, "the end")
    printed = [(tmp_path / f"{index}.out").read_text() for index in range(2)]
    assert sum("report:" in out for out in printed) >= 1
    assert content(workdir) == content(finished[0])
