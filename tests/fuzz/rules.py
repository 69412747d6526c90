"""What must hold for every case, whatever its input is."""

import hashlib
import os
import re
import stat
from pathlib import Path

from tests.fuzz.case import Case
from tests.fuzz.running import LATE, Outcome

CODES = frozenset({0, 1, 2, 75, 130})
MEMORY = 2**31  # bytes by which a case may let this process grow
LONGEST = 4000  # characters of a line that a person shall read
TRACES = (
    *("Traceback (most recent call last)", "Exception ignored in", "Fatal Python error"),
    *("core dumped", "Segmentation fault", "Error in sys.excepthook"),
)
# What is no message of ours: warnings, lines of progress, how a command is used.
NOTED = re.compile(
    r"salx: warning: |[WI]\d{4} \d\d:\d\d:|usage: |\s|.*\d+ images/s|.*: \d+/\d+|.*\bETA\b"
)

# What Python and its libraries leave for the next time.
PYTHON = re.compile(r"^home/\.cache|__pycache__")

Snapshot = dict[str, tuple]


def snapshot(root: Path) -> Snapshot:
    """Everything below a folder, by path: kind, and content or target; links are not followed."""
    there: Snapshot = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode)
            content: object = None
            if stat.S_ISREG(kind):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            elif stat.S_ISLNK(kind):
                content = os.readlink(path)
            elif stat.S_ISCHR(kind):
                content = status.st_rdev
            there[os.path.relpath(path, root)] = (kind, content)
    return there


def messages(err: str) -> list[str]:
    """The lines of stderr that speak to the user."""
    return [line for line in err.split("\n") if line and not NOTED.match(line)]


def faults(case: Case, outcome: Outcome, before: Snapshot, after: Snapshot) -> list[str]:
    """List what does not hold, each as `kind: what`."""
    every = [*_of_the_end(case, outcome), *_of_the_output(outcome)]
    return every + _of_the_files(case, outcome, before, after)


def _of_the_end(case: Case, outcome: Outcome) -> list[str]:
    """Exit code, time and memory."""
    wrong = []
    if outcome.code == LATE:
        wrong.append("time: it did not end")
    elif outcome.code not in CODES:
        wrong.append(f"code: {outcome.code}")
    elif outcome.code not in case.codes and not (outcome.shown or "Traceback" in outcome.err):
        wrong.append(f"code: {outcome.code}, not {sorted(case.codes)}")
    if outcome.memory > MEMORY:
        wrong.append(f"memory: {outcome.memory / 2**20:.0f} MiB more than before")
    return wrong


def _of_the_output(outcome: Outcome) -> list[str]:
    """No traceback; of what failed, one line that says why."""
    wrong = []
    if outcome.shown:
        wrong.append(f"traceback: {outcome.shown.strip().splitlines()[-1]}")
    for trace in TRACES:
        if trace in outcome.out + outcome.err:
            last = (outcome.err.strip() or outcome.out.strip()).splitlines()[-1]
            wrong.append(f"traceback: {last}")
            break
    lines = messages(outcome.err)
    if wrong or outcome.code == LATE:
        return wrong
    if outcome.code and len(lines) != 1:
        wrong.append(f"lines: {len(lines)} on stderr")
    if any(len(line) > LONGEST for line in lines):
        wrong.append(f"lines: one of {max(map(len, lines))} characters")
    return wrong


def _of_the_files(case: Case, outcome: Outcome, before: Snapshot, after: Snapshot) -> list[str]:
    """What was there is as it was; what was refused leaves nothing."""
    wrong = []
    for path, content in before.items():
        if after.get(path) != content and not path.startswith(case.changes):
            wrong.append(f"files: {path} {'was changed' if path in after else 'is gone'}")
    for path in case.absent:
        if path in after:
            wrong.append(f"files: {path} was made")
    new = [path for path in after if path not in before and not PYTHON.search(path)]
    if outcome.code == 2 and not case.leaves:
        wrong += [f"files: {path} was left" for path in new if not path.startswith(case.changes)]
    return wrong
