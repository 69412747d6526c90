"""Running a launcher of `launch/` as its user does, without the user's own environment."""

import os
import subprocess

from tests.builders import ROOT

STUDY = ["--config=configs/quickstart.py", "--workdir=/mnt/salx/my study"]


def clean(**more):
    """An environment without the launchers' own variables."""
    own = ("SLURM_", "SALX_", "NAME", "ZONE", "TYPE", "RUNTIME", "PROJECT", "SPOT", "NFS", "KEEP")
    others = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**others, **more}


def run(command, **env):
    return subprocess.run(
        command, cwd=ROOT, env=clean(**env), capture_output=True, text=True, timeout=60
    )
