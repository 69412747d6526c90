"""One process at a time works in a folder: system locks, and leases in a bucket."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import tensorstore
from etils import epath

from salx.infra import locks, storage
from salx.infra.errors import InputError, Unreachable
from salx.infra.locks import LOCK, Lease
from tests.builders import ROOT

OTHER = """
import sys
from salx.infra import locks, storage
locks.RENEW, locks.LEASE, locks.POLL = 0.1, 2.0, 0.05
with locks.held(storage.resolve(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def quick(monkeypatch):
    """Leases of seconds, not of a minute."""
    for name, seconds in (("RENEW", 0.1), ("LEASE", 2.0), ("POLL", 0.05)):
        monkeypatch.setattr(locks, name, seconds)


@pytest.fixture(params=["folder", "bucket"])
def folder(request, tmp_path, quick):
    if request.param == "folder":
        return tmp_path / "run"
    request.getfixturevalue("bucket")
    return storage.resolve(f"gs://bucket/{tmp_path.name}/run")


@pytest.fixture
def holder(folder, compiled):
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(folder)],
        env={**os.environ, **compiled, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_another_process_holds_a_folder_until_it_is_killed(folder, holder):
    with pytest.raises(InputError, match=f"^{folder}: held by process {holder.pid} on"):
        locks.held(folder).__enter__()
    holder.kill()
    holder.wait()
    with locks.held(folder):
        pass


def test_who_waits_comes_next(folder, holder):
    came = threading.Event()

    def wait():
        with locks.held(folder, wait=True):
            came.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not came.wait(3.0)  # longer than a lease: the holder is alive
    holder.communicate("")
    assert came.wait(30.0)
    waiting.join()


def test_a_folder_is_let_go_of_after_an_error(folder):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="midway"), locks.held(folder):
            raise RuntimeError("midway")


def test_a_lock_is_no_link_and_no_other_file(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    folders = {name: tmp_path / name for name in ("link", "file", "pipe", "folder", "old")}
    for folder in folders.values():
        folder.mkdir()
    (folders["link"] / LOCK).symlink_to(mine)
    (folders["file"] / LOCK).write_text("the user's own")
    os.mkfifo(folders["pipe"] / LOCK)
    (folders["folder"] / LOCK).mkdir()
    for name, why in {
        "link": "is a link", "file": "is no lock of SALX", "pipe": "is no file",
        "folder": "cannot be written: Is a directory",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=rf"^{folders[name]}/\.lock: {why}"):
            locks.held(folders[name]).__enter__()
    assert mine.read_text() == "mine"
    assert (folders["file"] / LOCK).read_text() == "the user's own"
    (folders["old"] / LOCK).write_text("process 7 on a machine")
    (folders["old"] / ".x.0123456789abcdef.tmp").touch()  # of a writer that was killed
    with locks.held(folders["old"]):
        assert (folders["old"] / LOCK).read_text() == locks.me()
        assert [path.name for path in folders["old"].iterdir()] == [LOCK]


@pytest.mark.parametrize("folder", ["bucket"], indirect=True)
def test_a_holder_that_was_away_too_long_ends(folder, holder):
    holder.send_signal(signal.SIGSTOP)
    with locks.held(folder):
        holder.send_signal(signal.SIGCONT)
        assert holder.wait(30) == 1
        assert "another process has taken it over; this process ends" in holder.stderr.read()
        assert (folder / LOCK).exists()


@pytest.fixture
def store():
    return tensorstore.KvStore.open({"driver": "memory"}).result()


def test_of_two_that_find_a_silent_holder_one_succeeds(store, quick):
    Lease(store, "w/.lock").take(wait=False)  # and is never renewed
    took, refused = [], []

    def attempt(lease):
        try:
            lease.take(wait=False)
        except InputError as error:
            refused.append(str(error))
            return
        lease.keeper.start()
        took.append(lease)

    rivals = [Lease(store, "w/.lock") for _ in range(4)]
    threads = [threading.Thread(target=attempt, args=(rival,)) for rival in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == 1
    assert refused == [f"w: held by {took[0].text}"] * 3
    assert store.read(LOCK).result().value.decode() == took[0].text
    took[0].leave()
    assert store.read(LOCK).result().state == "missing"


def test_a_renewal_whose_answer_was_lost_is_no_loss(store):
    lease, other = Lease(store, "w/.lock"), Lease(store, "w/.lock")
    lease.take(wait=False)
    before = lease.generation
    assert lease.write(before)
    lease.generation = before  # as if the answer had not come
    assert not lease.write(lease.generation)
    assert lease.is_mine()
    assert lease.write(lease.generation)
    assert other.write(lease.generation)
    assert not lease.write(lease.generation)
    assert not lease.is_mine()


def test_who_has_lost_a_folder_leaves_the_next_holder_alone(store):
    lease, other = Lease(store, "w/.lock"), Lease(store, "w/.lock")
    lease.take(wait=False)
    assert other.write(lease.generation)
    lease.leave()
    assert store.read(LOCK).result().value.decode() == other.text
    other.leave()
    assert store.read(LOCK).result().state == "missing"


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (ValueError("PERMISSION_DENIED: no\nmore"), InputError, "PERMISSION_DENIED: no"),
        (ValueError("UNAVAILABLE: all retries failed"), Unreachable, "UNAVAILABLE: all retries"),
        (TimeoutError(), Unreachable, "no answer"),
    ],
)
def test_a_refusal_is_bad_input_and_silence_is_not(error, kind, why):
    with pytest.raises(kind, match=f"^w: cannot be written: {why}"), locks.answering("w"):
        raise error


def test_a_bucket_that_is_not_there_is_one_clear_line(bucket):
    with pytest.raises(InputError, match=r"^gs://nowhere/w: cannot be written: NOT_FOUND"):
        locks.held(epath.Path("gs://nowhere/w")).__enter__()
