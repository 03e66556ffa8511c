"""Slurm on the loopback interface, from Debian's packages: for tests, without authentication."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

#: What Debian's packages slurmctld, slurmd and slurm-client install.
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")

_CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={slurmd_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1
KillWait=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={n_cores} RealMemory=4000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Return why Slurm cannot be started here; empty if it can."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return f"needs {', '.join(missing)} of Slurm: make test-slurm installs it"
    return "" if os.geteuid() == 0 else "needs root, which starts the daemons of Slurm"


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Run a cluster of one node during the block; commands of Slurm find it by SLURM_CONF."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    port, slurmd_port = _free_port(), _free_port()
    file = folder / "slurm.conf"
    text = _CONFIGURATION.format(
        host=platform.node().partition(".")[0],
        port=port,
        slurmd_port=slurmd_port,
        folder=folder,
        n_cores=os.cpu_count(),
    )
    file.write_text(text)
    os.environ["SLURM_CONF"] = str(file)
    daemons = []
    try:
        for program in ("slurmctld", "slurmd"):
            with (folder / f"{program}.out").open("w") as output:
                daemons.append(
                    subprocess.Popen(
                        [program, "-D", "-f", str(file)], stdout=output, stderr=subprocess.STDOUT
                    )
                )
        _wait_until_idle(folder)
        yield
    finally:
        subprocess.run(["scancel", "--user=root"], check=False, timeout=30)
        for daemon in reversed(daemons):
            daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(timeout=20)
            daemon.kill()
        del os.environ["SLURM_CONF"]


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def _wait_until_idle(folder: Path) -> None:
    for _ in range(120):
        if ask("sinfo", "--noheader", "--format=%T", check=False).strip() == "idle":
            return
        time.sleep(0.5)
    logs = "\n".join(file.read_text()[-2000:] for file in sorted(folder.glob("slurm*.[lo]*")))
    raise RuntimeError(f"the cluster has not started:\n{logs}")


def ask(*words: str, check: bool = True) -> str:
    """Return the output of a command of Slurm."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if check and done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def wait_for(*jobs: str, seconds: float = 240) -> None:
    """Wait until jobs, with all tasks of arrays, have left the queue; accounting is not asked."""
    end = time.monotonic() + seconds
    while ask("squeue", "--noheader", f"--jobs={','.join(jobs)}", check=False).strip():
        if time.monotonic() > end:
            raise RuntimeError(ask("squeue"))
        time.sleep(0.3)
