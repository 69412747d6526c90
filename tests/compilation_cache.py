"""One folder of what XLA compiled, for all processes of a run of the tests and for the next runs.

Most of the suite's time would go into compiling the same steps in process after process. The first
process of a run chooses the folder and sets jax's own variables of the environment, which pytest's
workers and every process that a test starts inherit. Code is only loaded by a machine like the one
that compiled it: the folder's name is a digest of the processor's features and jaxlib's version.
Counts of traces (`salx.infra.mesh.traces`) are not changed by it; counts of compilations would be.

What is new to the folder is compiled with little optimisation: no test measures time, and most
programs run for a few steps only (launch/test.sh --all asks for a little more). A user's own
XLA_FLAGS come after these, and win.

To empty it: `rm -r ~/.cache/salx-tests`. A folder in JAX_COMPILATION_CACHE_DIR is taken instead.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import zlib
from importlib import metadata
from pathlib import Path

FOLDER = "JAX_COMPILATION_CACHE_DIR"
QUICK = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
SETTINGS = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    # jax writes entries in place. Who reads one that another process has begun compiles by itself,
    # and says so on stderr, which many tests compare.
    "PYTHONWARNINGS": "ignore:Error reading persistent compilation cache entry",
}
TRIED = "reloads"  # this file in the folder says that the trial below went well
LARGEST = 2**31  # bytes; above them the folder is emptied

TRIAL = """
import jax, jax.numpy as jnp
hits = []
jax.monitoring.register_event_listener(
    lambda event, **_: hits.append(event) if event.endswith("/cache_hits") else None
)
x = jnp.linspace(-1, 1, 8 * 12, dtype=jnp.float32).reshape(8, 12)
print(jax.jit(lambda x: jnp.tanh(x @ x.T).sum(0))(x).tolist(), len(hits) > 0)
"""


def default_folder() -> Path:
    """Return the user's folder for machines like this one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = [platform.processor()]
    features = {line for line in lines if re.match(r"(flags|Features|model name)\s*:", line)}
    versions = platform.machine(), platform.python_version(), metadata.version("jaxlib")
    digest = hashlib.sha256(repr((sorted(features), versions)).encode()).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "salx-tests" / digest


def devices(count: int) -> str:
    """Return the XLA_FLAGS of a process with so many devices, besides those of all tests."""
    return f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={count}"


def tidy(folder: Path) -> None:
    """Remove entries whose writer was killed, and all of them where they have become too many."""
    entries = [path for path in folder.glob("*-cache") if path.is_file()]
    full = sum(path.stat().st_size for path in entries) > LARGEST
    for path in entries:
        try:
            zlib.decompress(path.read_bytes())
            damaged = False
        except zlib.error:
            damaged = True
        if full or damaged:
            path.unlink(missing_ok=True)


def trial(folder: Path) -> str:
    """Compile in one process and load in another one; return why that will not do, or ""."""
    env = {**os.environ, **SETTINGS, FOLDER: str(folder / "trial"), "JAX_PLATFORMS": "cpu"}
    results = []
    for _ in range(2):
        process = subprocess.run(
            [sys.executable, "-c", TRIAL], env=env, capture_output=True, text=True
        )
        if process.returncode or process.stderr:
            return (process.stderr.splitlines() or ["no reason"])[-1]
        results.append(process.stdout.split("] "))
    (first, _), (second, hit) = results
    if first != second:
        return "what was loaded computes something else"
    return "" if hit.strip() == "True" else "nothing was loaded"


def share() -> str:
    """Set this process and all that it starts to one folder; return why there is none, or ""."""
    folder = Path(os.environ.get(FOLDER) or default_folder())
    os.environ["XLA_FLAGS"] = f"{QUICK} {os.environ.get('XLA_FLAGS', '')}".strip()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tidy(folder)
        if not (folder / TRIED).exists():
            why = trial(folder)
            if why:
                os.environ.pop(FOLDER, None)
                return why
            (folder / TRIED).touch()
    except OSError as error:
        os.environ.pop(FOLDER, None)
        return str(error)
    os.environ.update(SETTINGS, **{FOLDER: str(folder)})
    return ""
