"""Worker processes: what they touch, and that none outlives its consumer."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from salx.data.options import Readers
from salx.infra.errors import RunError
from tests.builders import ROOT
from tests.data.confessions import Confessions
from tests.data.streams import eval_batches


def test_workers_leave_devices_and_threads_alone():
    batches = eval_batches(Confessions(), None, np.arange(8), 2, Readers(workers=2))
    processes, touched, threads = np.concatenate([b["image"] for b in batches]).T
    assert len(set(processes.tolist())) == 2
    assert os.getpid() not in processes
    assert not touched.any()
    assert (threads == 1).all()


def test_a_worker_that_is_killed_stops_the_run():
    batches = eval_batches(Confessions(), None, np.arange(1000), 2, Readers(workers=2))
    os.kill(int(next(batches)["image"][0, 0]), signal.SIGKILL)
    with pytest.raises(RunError, match=r"reading stopped .*exit code -9"):
        list(batches)


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


CONSUMER = """
import itertools, time
import numpy as np
from salx.data.options import Readers
from tests.data.confessions import Confessions
from tests.data.streams import train_batches

if __name__ == "__main__":
    ids, readers = np.arange(1000), Readers(workers=2)
    batches = train_batches(Confessions(), None, ids, 0, 2, 1000, readers=readers)
    print(*{int(i) for b in itertools.islice(batches, 4) for i in b["image"][:, 0]}, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_consumer(tmp_path, sent):
    script = tmp_path / "consumer.py"
    script.write_text(CONSUMER)
    consumer = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = [int(process) for process in consumer.stdout.readline().split()]
    assert len(workers) == 2
    if sent == signal.SIGINT:
        os.killpg(consumer.pid, sent)  # Ctrl-C reaches the whole group
    else:
        consumer.send_signal(sent)
    errors = consumer.communicate(timeout=60)[1]
    end = time.monotonic() + 30
    while any(map(alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, workers))
    assert errors.count("KeyboardInterrupt") == (sent == signal.SIGINT)  # the consumer's own


NOTEBOOK = """
import sys
import numpy as np
from absl import flags
from salx.data.options import Readers
from tests.data.streams import eval_batches
from tests.data.confessions import Confessions

if __name__ == "__main__":
    assert not flags.FLAGS.is_parsed()
    batches = list(eval_batches(Confessions(), None, np.arange(8), 2, Readers(workers=1)))
    print(sum(len(batch["id"]) for batch in batches))
"""


def test_workers_start_where_nobody_has_parsed_flags(tmp_path):
    script = tmp_path / "notebook.py"
    script.write_text(NOTEBOOK)
    process = subprocess.run(
        [sys.executable, str(script), "--an_option=of a notebook's kernel"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.stdout == "8\n", process.stderr
