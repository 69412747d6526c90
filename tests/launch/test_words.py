"""The launchers' words: any order, nothing unknown, and a dry run that touches nothing."""

import itertools
import os
import shutil
import subprocess

import pytest
from absl import flags

from salx.commands import study
from tests.builders import ROOT
from tests.launchers import STUDY, clean, run

# All that a launcher may call to do something.
TOOLS = ("gcloud", "git", "srun", "squeue", "scontrol", "flock", "nvidia-smi", "mktemp", "rm")
TOOLS += ("ssh", "pip", "uv", "python", "python3", "python3.11", "python3.12")
# Words that belong together; every launcher has to understand them in any order.
WORDS = {
    "multi_gpu": ["launch/multi_gpu.sh", "--dry-run", *STUDY],
    "slurm": ["launch/slurm.sbatch", "--dry-run", *STUDY],
    "quickstart": ["launch/quickstart.sh", "--dry-run", "work", "--config.seeds=1"],
    "test": ["launch/test.sh", "--dry-run", "--all", "tests/launch"],
    "tpu_study": ["launch/tpu.sh", "--dry-run", "study", *STUDY],
    "tpu_run": ["launch/tpu.sh", "--dry-run", "run", *STUDY],
    "tpu_create": ["launch/tpu.sh", "--dry-run", "create"],
    "tpu_install": ["launch/tpu.sh", "--dry-run", "install"],
    "tpu_logs": ["launch/tpu.sh", "--dry-run", "logs"],
    "tpu_delete": ["launch/tpu.sh", "--dry-run", "delete"],
}


@pytest.fixture
def untouched(tmp_path):
    """Runs a launcher where every tool that it might call is one that fails, and tells on it."""
    record = tmp_path / "record"
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"{record}"\nexit 1\n')
        (tools / name).chmod(0o755)

    def launch(*command, **env):
        process = run(command, PATH=f"{tools}:{os.environ['PATH']}", **env)
        assert not record.exists(), record.read_text()
        return process

    return launch


@pytest.mark.parametrize("case", WORDS)
def test_a_dry_run_touches_nothing_in_any_order_of_the_words(case, untouched):
    script, *words = WORDS[case]
    outputs = set()
    for order in itertools.permutations(words):
        process = untouched(script, *order)
        assert (process.returncode, process.stderr) == (0, ""), order
        assert process.stdout != ""
        outputs.add(tuple(sorted(process.stdout.split())))
    assert len(outputs) == 1  # but for the order of the study's flags, which is the user's


@pytest.mark.parametrize("case", WORDS)
def test_help_anywhere_shows_how_and_touches_nothing(case, untouched):
    script, dry, *words = WORDS[case]
    expected = untouched(script, "--help").stdout
    assert script in expected
    for given in (["-h", dry, *words], [*words, "--help"]):
        process = untouched(script, *given)
        assert (process.returncode, process.stdout) == (0, expected)


@pytest.mark.parametrize("odd", ["--dryrun", "--dry_run", "--dry-run=yes", "-n", "--", "other", ""])
@pytest.mark.parametrize("case", [name for name in WORDS if name != "test"])  # pytest has flags
def test_what_a_launcher_does_not_know_is_one_line(case, odd, untouched):
    script, _, *words = WORDS[case]
    for before in range(len(words) + 1):
        refused(untouched(script, *words[:before], odd, *words[before:]))


def refused(process):
    """Check that a launcher ended with exit code 2 and one line, and return the line."""
    assert (process.returncode, process.stdout) == (2, ""), process.stderr
    (line,) = process.stderr.splitlines()
    assert line.startswith("salx: ")
    return line


@pytest.mark.parametrize("step", ["create", "install", "logs", "delete"])
@pytest.mark.parametrize("flag", ["--config=c.py", "--plan", "--config.seeds=2"])
def test_a_step_without_a_study_takes_none_of_its_flags(step, flag, untouched):
    for words in ([step, flag], [flag, step], [step, flag, "--dry-run"]):
        line = refused(untouched("launch/tpu.sh", *words))
        assert line.endswith(f"launch/tpu.sh {step} takes no flags of the study: '{flag}'")


@pytest.mark.parametrize("step", ["study", "run"])
@pytest.mark.parametrize("words", [[], STUDY[:1], STUDY[1:], [STUDY[0], "--workdir="]])
def test_nothing_is_created_for_a_study_that_cannot_start(step, words, untouched):
    line = refused(untouched("launch/tpu.sh", step, *words))
    assert line.endswith(f"launch/tpu.sh {step} needs --config=... and --workdir=...")


def test_every_flag_of_the_study_is_passed_on(untouched):
    holders = [value for value in vars(study).values() if isinstance(value, flags.FlagHolder)]
    words = [f"--{holder.name}=1" for holder in holders]
    words += ["--plan", "--verbosity=0", "--noconfig.progress", "--config.progress"]
    assert len(words) > 10
    process = untouched("launch/multi_gpu.sh", "--dry-run", *words)
    assert process.stdout.splitlines()[-1].endswith(" ".join(words)), process.stderr


def test_a_value_may_stand_in_a_word_of_its_own(untouched):
    words = ["--config", "c.py", "run", "--workdir", "gs://b/w", "--config.seed", "-1"]
    process = untouched("launch/tpu.sh", *words, "--dry-run")
    assert "--config=c.py\\ --workdir=gs://b/w\\ --config.seed=-1" in process.stdout
    line = refused(untouched("launch/tpu.sh", "run", "--config", "--workdir=w"))
    assert line == "salx: --config needs a value: --config=..."


NAMES = ["", " ", "my tpu", "-x", "--quiet", "a;b", "$(id)", "a\nb", "\xe9"]
ODD = {
    **dict.fromkeys(("NAME", "ZONE", "TYPE", "RUNTIME", "PROJECT"), NAMES),
    **dict.fromkeys(("SPOT", "KEEP"), ("", "maybe", "-1")),
    **dict.fromkeys(("WAIT_MINUTES", "POLL_SECONDS"), ("", "-1", "1.5", "08", "1e3", "a[$(id)]")),
    "NFS": ["", "host", "-o:/x", "host:/a b"],
}


@pytest.mark.parametrize("variable", ODD)
def test_odd_values_of_the_environment_are_refused(variable, untouched):
    for value in ODD[variable]:
        for command in ("delete", "create"):
            line = refused(untouched("launch/tpu.sh", command, **{variable: value}))
            assert f"salx: {variable}=" in line


@pytest.mark.parametrize("script", ["multi_gpu.sh", "slurm.sbatch"])
def test_an_odd_python_is_refused(script, untouched):
    line = refused(untouched(f"launch/{script}", "--dry-run", *STUDY, SALX_PYTHON="-c"))
    assert "SALX_PYTHON='-c'" in line


def test_requirements_that_are_not_there_are_refused(untouched):
    command = ["launch/slurm.sbatch", "--dry-run", *STUDY]
    line = refused(untouched(*command, SALX_REQUIREMENTS="tpu.txt"))
    assert line == "salx: SALX_REQUIREMENTS=tpu.txt: no such file"


@pytest.mark.parametrize("case", WORDS)
def test_cdpath_leads_nowhere_else(case, tmp_path, untouched):
    (tmp_path / "launch").mkdir()
    there, plain = untouched(*WORDS[case], CDPATH=str(tmp_path)), untouched(*WORDS[case])
    assert (there.returncode, there.stdout) == (0, plain.stdout)


def test_cdpath_leads_ci_nowhere_else(tmp_path):
    for folder in ("here", "elsewhere"):
        (tmp_path / folder / ".ci").mkdir(parents=True)
        shutil.copytree(ROOT / "launch", tmp_path / folder / "launch")
        (tmp_path / folder / "launch" / "test.sh").write_text(f"#!/bin/sh\necho {folder}\nexit 3\n")
    shutil.copy(ROOT / ".ci" / "run", tmp_path / "here" / ".ci")
    env = clean(CDPATH=str(tmp_path / "elsewhere"))
    command = {"cwd": tmp_path / "here", "env": env, "capture_output": True, "text": True}
    assert subprocess.run([".ci/run"], **command).stdout == "here\n"
    refused(subprocess.run([".ci/run", "--dry-run"], **command))


@pytest.mark.parametrize("flag", ["--config=c.py", "--workdir=w"])
def test_the_quickstart_says_how_it_takes_its_folder(flag, untouched):
    assert f"{flag}: launch/quickstart.sh" in refused(untouched("launch/quickstart.sh", flag))


def test_the_quickstart_knows_the_home_folder(untouched):
    process = untouched("launch/quickstart.sh", "--dry-run", "~/a b", HOME="/home/x")
    assert "--workdir=/home/x/a\\ b" in process.stdout
