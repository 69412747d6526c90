"""A real Slurm on this machine, in one folder: a controller, virtual nodes, and munge.

Its nodes are named by loopback addresses, which need no entry in any table of hosts.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

CONF = """
ClusterName=salx
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdSpoolDir={folder}/spool.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=60
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,requeue_delay=1
NodeName={nodes} NodeHostname={host} Port=[{first}-{last}] CPUs=2 RealMemory=8000
PartitionName=all Nodes={nodes} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "sinfo")
    return [name for name in programs if shutil.which(name, path=path()) is None]


def path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@contextlib.contextmanager
def running(folder: Path, nodes: int) -> Iterator[dict[str, str]]:
    """Starts it and yields the environment in which sbatch and the others find it."""
    port = free_ports(nodes + 1)
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            host=socket.gethostname().split(".")[0],
            folder=folder,
            port=port,
            first=port + 1,
            last=port + nodes,
            nodes=f"127.0.0.[2-{nodes + 1}]",
        )
    )
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    env = {**os.environ, "SLURM_CONF": str(conf), "PATH": path()}
    munge = [f"--{name}={folder}/munge.{name.split('-')[0]}" for name in MUNGE]
    commands = [["munged", "--force", "--foreground", *munge], ["slurmctld", "-D"]]
    commands += [["slurmd", "-D", "-N", f"127.0.0.{index + 2}"] for index in range(nodes)]
    daemons = []
    try:
        for command in commands:
            log = open(folder / f"{command[0]}.{len(daemons)}.out", "w")
            daemons.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))
            if command[0] == "munged":
                wait_until(lambda: (folder / "munge.socket").exists(), 20, "munged")
        ready = f"{nodes} idle"
        wait_until(lambda: ready in said(["sinfo", "-h", "-o", "%D %T"], env), 60, "the nodes")
        yield env
    finally:
        said(["scancel", "--signal=KILL", "--full", "--user=root"], env)
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(20)
            daemon.kill()


MUNGE = ("socket", "key-file", "pid-file", "log-file", "seed-file")


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for first in range(17001, 60000, count):
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for port in range(first, first + count):
                taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("no ports")


def said(command: list[str], env: dict[str, str]) -> str:
    """What a command prints."""
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60).stdout


def wait_until(sure, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not sure():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.2)
