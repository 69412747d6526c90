"""The launchers: what they would run, against stored commands; and cloud tools that fail."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from absl import flags

from salx.commands import study
from tests.builders import ROOT
from tests.launchers import STUDY, clean, run

HERE = Path(__file__).parent
SCRIPTS = [*ROOT.glob("launch/*.sh"), ROOT / "launch/slurm.sbatch", ROOT / ".ci/run"]
WORDS = ["--config=configs/cityscapes.py:res18,small", "--workdir=/mnt/salx/w"]
DRY = {
    "multi_gpu": (["launch/multi_gpu.sh", "--dry-run", *STUDY], {}),
    "multi_gpu_bucket": (
        ["launch/multi_gpu.sh", "--dry-run", "--workdir=gs://bucket/w"],
        {"SALX_PYTHON": ""},
    ),
    "slurm_bucket": (
        ["launch/slurm.sbatch", "--dry-run", "--workdir=gs://bucket/w"],
        {"SALX_REQUIREMENTS": "none"},
    ),
    "slurm": (
        ["launch/slurm.sbatch", "--dry-run", *STUDY, "--config.seeds=%n", "--config.x=of %i, %i"],
        {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"},
    ),
    "slurm_array": (
        ["launch/slurm.sbatch", "--dry-run", *STUDY],
        {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"},
    ),
    "slurm_array_element": (
        ["launch/slurm.sbatch", "--dry-run", *STUDY, "--worker=3/8"],
        {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1"},
    ),
    "slurm_own_python": (
        ["launch/slurm.sbatch", "--dry-run", *STUDY],
        {"SALX_PYTHON": "/opt/my env/bin/python"},
    ),
    "multi_gpu_words": (["launch/multi_gpu.sh", "--dry-run", *WORDS], {}),
    "slurm_words": (["launch/slurm.sbatch", "--dry-run", *WORDS], {}),
    "tpu_words": (["launch/tpu.sh", "--dry-run", "run", *WORDS], {}),
    "tpu": (["launch/tpu.sh", "--dry-run", "study", *STUDY], {}),
    "tpu_spot": (
        ["launch/tpu.sh", "--dry-run", "study", *STUDY],
        {
            "NAME": "mine",
            "ZONE": "europe-west4-b",
            "TYPE": "v5litepod-16",
            "RUNTIME": "v2-alpha-tpuv5-lite",
            "PROJECT": "p",
            "SPOT": "yes",
            "NFS": "10.0.0.2:/vol",
        },
    ),
}


@pytest.mark.parametrize("case", DRY)
def test_a_dry_run_prints_the_stored_commands(case):
    command, env = DRY[case]
    process = run(command, **env)
    assert process.returncode == 0, process.stderr
    assert process.stdout == (HERE / "expected" / f"{case}.txt").read_text()


@pytest.mark.parametrize("case", ["multi_gpu_words", "slurm_words", "tpu_words"])
def test_a_shell_gives_a_study_the_words_of_its_config_as_they_are(case):
    """A TPU's workers read the command a second time, in their own shell."""
    words = shlex.split((HERE / "expected" / f"{case}.txt").read_text())
    remote = [word for word in words if word.startswith("--command=")]
    assert WORDS[0] in [*words, *(part for word in remote for part in shlex.split(word))]


def test_scripts_are_clean():
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    process = run([shellcheck, "--external-sources", *SCRIPTS])
    assert process.stdout == ""
    for script in SCRIPTS:
        sourced = script.name in ("steps.sh", "environment.sh")
        assert sourced or "\nset -euo pipefail\n" in script.read_text()


@pytest.mark.parametrize("script", ["multi_gpu.sh", "tpu.sh"])
def test_help_says_how(script):
    process = run([f"launch/{script}", "--help"])
    assert process.returncode == 0
    assert f"./launch/{script} [--dry-run]" in process.stdout


def test_slurm_needs_slurm():
    process = run(["launch/slurm.sbatch", *STUDY])
    assert process.returncode == 2
    assert "sbatch --nodes=" in process.stdout


def test_multi_gpu_needs_a_gpu(tmp_path):
    nothing = tmp_path / "nvidia-smi"
    nothing.write_text("#!/bin/sh\nexit 9\n")
    nothing.chmod(0o755)
    process = run(["launch/multi_gpu.sh", *STUDY], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert process.returncode == 2
    assert process.stderr == "salx: nvidia-smi finds no GPU on this machine\n"


@pytest.fixture
def tpu(tmp_path):
    """Runs launch/tpu.sh with the stand-in; returns the process and the verbs gcloud was given."""
    record = tmp_path / "record"
    path = f"{HERE / 'stand_in'}:{os.environ['PATH']}"

    def launch(*arguments, **env):
        record.write_text("")
        told = {"PATH": path, "RECORD": str(record), "POLL_SECONDS": "0", **env}
        process = run(["launch/tpu.sh", *(arguments or ("study", *STUDY))], **told)
        return process, verbs(record)

    launch.record, launch.path = record, path
    return launch


def verbs(record):
    """create, describe, scp, ssh, delete: what gcloud was asked for, in order."""
    lines = [line.split("\t") for line in record.read_text().splitlines()]
    return [words[3] for words in lines]


def test_a_tpu_study_creates_installs_runs_and_deletes(tpu):
    process, asked = tpu(STATES="WAITING_FOR_RESOURCES PROVISIONING ACTIVE")
    assert process.returncode == 0, process.stderr
    assert asked == ["create", *["describe"] * 3, "scp", "ssh", "ssh", "delete"]


def test_what_keep_leaves(tpu):
    process, asked = tpu(KEEP="yes")
    assert process.returncode == 0
    assert "delete" not in asked


def test_no_is_no(tpu):
    process, asked = tpu(KEEP="no", SPOT="no")
    assert process.returncode == 0
    assert asked[-1] == "delete"
    assert "--spot" not in tpu.record.read_text()


def test_a_creation_that_is_refused_deletes_nothing(tpu):
    process, asked = tpu(REFUSE="create")
    assert process.returncode == 1
    assert asked == ["create"]
    assert "RESOURCE_EXHAUSTED" in process.stderr
    assert process.stderr.splitlines()[-1] == (
        "salx: salx was not created, and nothing is deleted: see gcloud's message above"
    )


@pytest.mark.parametrize("state", ["FAILED", "SUSPENDED"])
def test_capacity_that_does_not_come_is_given_back(tpu, state):
    process, asked = tpu(STATES=f"WAITING_FOR_RESOURCES {state}")
    assert process.returncode == 75
    assert asked == ["create", "describe", "describe", "delete"]
    assert f"salx: no capacity for salx (it is {state})" in process.stderr


def test_waiting_has_an_end(tpu):
    process, asked = tpu(STATES="PROVISIONING", WAIT_MINUTES="0")
    assert process.returncode == 75
    assert asked == ["create", "describe", "delete"]
    assert "salx is still PROVISIONING after 0 minutes" in process.stderr


def test_a_preemption_deletes_and_says_that_the_command_goes_on(tpu):
    process, asked = tpu(STATES="ACTIVE SUSPENDED", WORKER_CODE="255")
    assert process.returncode == 75
    assert asked[-2:] == ["describe", "delete"]
    assert process.stderr.splitlines()[-1] == (
        "salx: salx was taken away (it is SUSPENDED); the same command goes on from here"
    )


@pytest.mark.parametrize("code", [1, 2, 255])
def test_a_worker_that_fails_gives_its_exit_code_and_deletes(tpu, code):
    process, asked = tpu(WORKER_CODE=str(code))
    assert process.returncode == code
    assert asked[-1] == "delete"
    assert f"salx: a worker of salx ended with exit code {code}" in process.stderr


def test_an_installation_that_fails_runs_nothing(tpu):
    process, asked = tpu(REFUSE="scp")
    assert process.returncode == 1
    assert asked == ["create", "describe", "scp", "describe", "delete"]


def test_a_deletion_that_fails_is_told(tpu):
    process, _ = tpu(REFUSE="delete")
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == (
        "salx: salx may still be there, and billed; try: "
        "NAME=salx ZONE=us-central2-b launch/tpu.sh delete"
    )


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize(("command", "last"), [("study", "delete"), ("run", "ssh")])
def test_what_an_interrupted_launcher_started_is_ended(tpu, sent, code, command, last):
    tpu.record.write_text("")
    env = clean(PATH=tpu.path, RECORD=str(tpu.record), POLL_SECONDS="0", RUNS_FOR="60")
    process = subprocess.Popen(["launch/tpu.sh", command, *STUDY], cwd=ROOT, env=env)
    running = tpu.record.with_name("record.pid")
    while not (running.exists() and running.read_text()) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(sent)
    assert process.wait(30) == code
    assert verbs(tpu.record)[-1] == last
    end = time.monotonic() + 10  # the system takes a moment to bury what was killed
    while Path(f"/proc/{running.read_text().strip()}").exists():
        assert time.monotonic() < end


@pytest.mark.parametrize("step", ["create", "install", "logs", "delete"])
def test_single_steps(tpu, step):
    process, asked = tpu(step)
    assert process.returncode == 0
    assert (
        asked
        == {
            "create": ["create", "describe"],
            "install": ["scp", "ssh"],
            "logs": ["ssh"],
            "delete": ["delete"],
        }[step]
    )


def test_an_unknown_step_is_refused(tpu):
    process, asked = tpu("crate")
    assert (process.returncode, asked) == (2, [])
    assert "not 'crate'" in process.stderr


def test_the_jobset_starts_as_many_processes_as_it_says():
    jobset = yaml.safe_load((ROOT / "launch" / "gke_jobset.yaml").read_text())
    (group,) = jobset["spec"]["replicatedJobs"]
    job = group["template"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    name, kind = jobset["metadata"]["name"], group["name"]
    port = container["ports"][0]["containerPort"]
    words = [word.replace("$(JOB_COMPLETION_INDEX)", "1") for word in container["args"]]
    given = dict(word.lstrip("-").split("=", 1) for word in words)
    assert given["coordinator"] == f"{name}-{kind}-0-0.{name}:{port}"
    assert int(given["processes"]) == job["parallelism"] == job["completions"]
    assert container["command"][1:] == ["-m", "salx.main"]
    assert given.keys() <= {*flags.FLAGS, "config", "workdir"}
    assert study.COORDINATOR.name in given
    assert given["workdir"].startswith("gs://BUCKET/")
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2]
