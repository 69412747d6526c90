"""What all tests share: a small study, and the real command as a process of its own."""

import fcntl
import os
import shutil
import signal
import sys

import pytest
from absl import flags

from salx.infra import mesh
from salx.models import model as networks
from salx.study import config as configs
from tests import compilation_cache, prepared, shards
from tests.builders import ROOT, SMALL
from tests.processes import free_port, serving

flags.FLAGS.mark_as_parsed()  # grain's workers ask for parsed flags
# Started in the background, tests ignore Ctrl-C, and so would all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    """Add --shard=I/N, for `./launch/test.sh --all --shard=I/N` on several machines."""
    parser.addoption("--shard", type=shards.shard, help="part I of N of the test files, from 0")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out the files of other parts, before any test is deselected by its marks."""
    part = config.getoption("shard")
    if part is None:
        return
    files = shards.files_of((item.nodeid.split("::")[0] for item in items), *part)
    others = [item for item in items if item.nodeid.split("::")[0] not in files]
    items[:] = [item for item in items if item.nodeid.split("::")[0] in files]
    config.hook.pytest_deselected(items=others)


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
        words = [f"--config={config}", f"--workdir={workdir}", *more]
        return prepared.run("salx.main", words, {**compiled, **(env or {})}, timeout)

    return run


@pytest.fixture(scope="session")
def finished(salx, tmp_path_factory, worker_id):
    """A work folder with the finished small study, not to be changed, and what was printed.

    It is made once for all of xdist's workers: the first that needs it makes it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished_study"
    folder.mkdir(exist_ok=True)
    workdir, printed = folder / "w", folder / "printed"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            shutil.rmtree(workdir, ignore_errors=True)
            process = salx(workdir)
            assert process.returncode == 0, process.stderr
            printed.write_text(process.stdout, encoding="utf-8")
    return workdir, printed.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def bucket():
    """Environment of processes for which gs://bucket is served, this one too."""
    with serving(free_port()) as (_, env):
        os.environ.update(env)
        yield env


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
