"""What all tests share: a small study, and the real command as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from salx import config as configs
from salx import models, parallel

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "small_study.py"

flags.FLAGS.mark_as_parsed()  # grain's workers ask for parsed flags


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> dict[str, str]:
    """Environment of child processes: they share what XLA compiled."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


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
            return models.init(model, parallel.jax.random.key(seed))

        return parallel.jit(draw, "test", runs_once=True)(seed)

    return variables
