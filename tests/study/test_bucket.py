"""The small study with its work folder in a bucket, as real processes."""

import signal
import subprocess
import sys
import time

import pytest

from tests.builders import ROOT, SMALL, content, picks
from tests.processes import SHORT, ended, free_port, serving, short_picks, started


@pytest.fixture
def objects(bucket):
    import gcsfs  # which reads the environment that `bucket` sets

    return gcsfs.GCSFileSystem(use_listings_cache=False, skip_instance_cache=True)


def fetched(objects, name, folder):
    """What the bucket holds under a name, as a folder."""
    objects.get(f"bucket/{name}/", f"{folder}/", recursive=True)
    return folder


def part(finished):
    """What the short study has in common with the finished one."""
    whole = content(finished[0])
    return {
        name: whole[name]
        for name in whole
        if ".s0" in name and not name.split("/")[1].startswith("b.") and ".on.b." not in name
    }


def test_a_study_in_a_bucket_is_the_one_of_a_folder(finished, salx, bucket, objects, tmp_path):
    where = f"gs://bucket/{tmp_path.name}/w"
    process = salx(where, *SHORT, env=bucket)
    assert process.returncode == 0, process.stderr
    assert process.stdout.endswith(f"report: {where}/report/index.html\n")
    workdir = fetched(objects, f"{tmp_path.name}/w", tmp_path / "w")
    assert content(workdir) == part(finished)
    names = {path.name for path in workdir.rglob("*")}
    assert {"index.html", "table.csv", "metrics.jsonl", "study.json"} <= names
    assert ".lock" not in names

    process = salx(where, *SHORT, env=bucket)
    assert process.stdout.startswith(f"{where}: this study is finished; nothing to do\n")
    told = subprocess.run(
        [sys.executable, "-m", "salx", "report", where],
        env={**bucket, "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, f"{where}/report/index.html")


def test_a_run_in_a_bucket_can_choose(finished, bucket, objects, compiled, tmp_path):
    name = "deployments/a.on.a.entropy.s0.c02"
    objects.put(str(finished[0] / name), f"bucket/{tmp_path.name}/", recursive=True)
    chosen = []
    for run in (str(finished[0] / name), f"gs://bucket/{tmp_path.name}/{name.split('/')[1]}"):
        out = tmp_path / "picks.jsonl"
        process = subprocess.run(
            [
                *(sys.executable, "-m", "salx", "select", f"--surrogate={run}", "--pool=digits"),
                *("--budget=9", f"--out={out}"),
            ],
            env={**compiled, **bucket},
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        chosen.append(out.read_bytes())
    assert chosen[0] == chosen[1]


@pytest.mark.slow
def test_a_killed_study_goes_on_in_its_bucket(finished, salx, compiled, bucket, objects, tmp_path):
    where = f"gs://bucket/{tmp_path.name}/w"
    command = [sys.executable, "-m", "salx.main", f"--config={SMALL}", f"--workdir={where}", *SHORT]
    for kind in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(command, env={**compiled, **bucket}, stderr=subprocess.PIPE)
        seen = len(objects.glob(f"bucket/{tmp_path.name}/w/deployments/*/result.json"))
        while len(objects.glob(f"bucket/{tmp_path.name}/w/deployments/*/result.json")) <= seen:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(kind)
        process.communicate()
        assert process.returncode == (75 if kind == signal.SIGTERM else -signal.SIGKILL)
    process = salx(where, *SHORT, env=bucket)
    assert process.returncode == 0, process.stderr
    workdir = fetched(objects, f"{tmp_path.name}/w", tmp_path / "w")
    undisturbed, found = part(finished), content(workdir)
    for name in undisturbed:
        assert found[name] == undisturbed[name], name
    assert found.keys() == undisturbed.keys()


@pytest.mark.slow
def test_two_processes_share_a_bucket(finished, bucket, compiled, objects, tmp_path):
    where = f"gs://bucket/{tmp_path.name}/w"
    with started(2, where, {**compiled, **bucket}) as running:
        assert ended(running)[0] == [0, 0]
    workdir = fetched(objects, f"{tmp_path.name}/w", tmp_path / "w")
    assert picks(workdir) == short_picks(finished[0])


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_bucket_that_goes_away_ends_a_study_that_can_go_on(bucket, compiled, count):
    import gcsfs

    port = free_port()
    objects = gcsfs.GCSFileSystem(endpoint_url=f"http://127.0.0.1:{port}", token="anon")
    with (
        serving(port) as (server, env),
        started(count, "gs://bucket/w", {**compiled, **env}) as running,
    ):
        while not objects.glob("bucket/w/deployments/*/result.json"):
            assert all(process.poll() is None for process in running)
            objects.invalidate_cache()
            time.sleep(0.1)
        server.kill()
        codes, lines = ended(running)
    assert codes == [75] * count
    assert lines[0][-1].startswith("salx: gs://bucket/w")
    assert lines[0][-1].endswith("the same command goes on from here")
