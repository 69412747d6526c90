"""What all tests share: a small study, and the real command as a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from absl import flags

from salx.infra import mesh, sealed
from salx.models import model as networks
from salx.study import config as configs
from tests import compilation_cache

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "small_study.py"

flags.FLAGS.mark_as_parsed()  # grain's workers ask for parsed flags
# Started in the background, tests ignore Ctrl-C, and so would all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Let all processes of this run share what XLA compiles; workers inherit the environment."""
    if hasattr(config, "workerinput"):
        return
    why = compilation_cache.share()
    if why:
        print(f"The tests run without a shared compilation cache: {why}")
        return
    # This process has imported jax, which read the environment then.
    mesh.jax.config.update("jax_compilation_cache_dir", os.environ[compilation_cache.FOLDER])
    mesh.jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    mesh.jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture(scope="session")
def compiled() -> dict[str, str]:
    """Environment of child processes: the compilation cache is in it."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}


@pytest.fixture(scope="session")
def salx(compiled):
    """Runs `python -m salx.main` on the small study; returns the finished process."""

    def run(workdir, *more, config=SMALL, env=None, timeout=300):
        command = [sys.executable, "-m", "salx.main", f"--config={config}", f"--workdir={workdir}"]
        return subprocess.run(
            [*command, *more],
            env={**compiled, **(env or {})},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def finished(salx, tmp_path_factory):
    """A work folder with the finished small study, not to be changed, and what was printed."""
    workdir = tmp_path_factory.mktemp("study") / "w"
    process = salx(workdir)
    assert process.returncode == 0, process.stderr
    return workdir, process.stdout


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def serving(port):
    """A process that serves gs://bucket on this machine, and the environment that leads there."""
    command = [sys.executable, str(ROOT / "tests" / "bucket.py"), str(port)]
    env = {
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
        "TENSORSTORE_GCS_HTTP_URL": f"http://127.0.0.1:{port}",
        "GOOGLE_AUTH_TOKEN_FOR_TESTING": "nobody",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",  # asks Google what kind of bucket it is
    }
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                time.sleep(0.05)
        yield process, env
        process.kill()


@pytest.fixture(scope="session")
def bucket():
    """Environment of processes for which gs://bucket is served, this one too."""
    with serving(free_port()) as (_, env):
        os.environ.update(env)
        yield env


def content(workdir):
    """Everything in a work folder that must not depend on how often it was interrupted."""
    found = {}
    for path in sorted(workdir.rglob("*")):
        name = str(path.relative_to(workdir))
        if path.suffix == ".jsonl":
            found[name] = path.read_bytes()
        elif path.name == "result.json" or path.name.startswith("cycle_"):
            found[name] = sealed.read_json(path)
            found[name].pop("seconds")
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                found[name] = {key: arrays[key].tolist() for key in arrays}
    return found


@pytest.fixture
def small() -> dict:
    """The small study's config, resolved."""
    sys.path.insert(0, str(SMALL.parent))
    try:
        import small_study
    finally:
        sys.path.pop(0)
    return configs.resolve(small_study.get_config())


@pytest.fixture(scope="session")
def fresh():
    """(model, seed) -> its initial variables."""

    def variables(model, seed):
        def draw(seed):
            return networks.init(model, mesh.jax.random.key(seed))

        return mesh.jit(draw, "test", runs_once=True)(seed)

    return variables
