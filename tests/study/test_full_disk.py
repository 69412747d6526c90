"""A study on a full disk ends in one line that names a file, and goes on when there is room."""

import pytest

from tests.builders import picks
from tests.limits import full_disk
from tests.processes import SHORT, short_picks, start


def stopped(workdir, env, size):
    """Run the short study where no file may have more bytes; return its exit code and outputs."""
    # What XLA compiled is read, but none of it is saved, which would be cut short.
    env = {**env, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "1000000"}
    process = start(workdir, env, *SHORT)
    with full_disk(size, process.pid):
        return process.wait(300), *process.written()


@pytest.mark.parametrize(
    "size",
    [700, 3000, *(pytest.param(s, marks=pytest.mark.slow) for s in (1500, 6000, 20_000, 60_000))],
)
def test_a_study_on_a_full_disk(salx, finished, compiled, tmp_path, size):
    workdir = tmp_path / "w"
    code, out, err = stopped(workdir, compiled, size)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert err.startswith("salx: "), err
    assert f"{workdir}/" in err
    assert err.endswith("cannot be written: File too large\n")
    done = salx(workdir, *SHORT)
    assert done.returncode == 0, done.stderr
    assert picks(workdir) == short_picks(finished[0])
    assert not list(workdir.rglob(".*.tmp"))
