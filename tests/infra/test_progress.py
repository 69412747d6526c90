import json

import pytest

from salx.infra import progress
from salx.infra.errors import InputError, RunError
from salx.infra.progress import Journal, Terminal
from tests.limits import full_disk


def test_a_journal_goes_on_at_the_step_of_the_checkpoint(tmp_path):
    journal = Journal(tmp_path, 0)
    for step in (10, 20, 30):
        journal.write(step, {"loss": 1.0 / step})
    journal.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 40, "lo')  # torn by a kill
    journal = Journal(tmp_path, 20)
    journal.write(30, {"loss": 0.5})
    journal.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20, 30]
    assert lines[1:] == [{"step": 20, "loss": 0.05}, {"step": 30, "loss": 0.5}]


def test_lost_lines_of_a_journal_are_missed(tmp_path, capsys):
    path = tmp_path / "metrics.jsonl"
    for content, first in (("", 1), ('{"step": 5}\n', 6), ("5\n", 1), ('{"step": 5}\n[]\n', 6)):
        path.write_text(content)
        Journal(tmp_path, 22, due=20).close()
        why = f"has no lines of the steps {first} to 20; the run goes on without them"
        assert capsys.readouterr().err == f"salx: {path}: {why}\n"
    for line in ('{"step": 20}\n', '{"step": 22}\n'):
        path.write_text(line)
        Journal(tmp_path, 22, due=20).close()
        assert capsys.readouterr().err == ""
    Journal(tmp_path / "new", 0).close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("absent", ["tensorflow", "tensorboard"])
def test_events_without_tensorflow_are_one_clear_line(monkeypatch, absent):
    def find(name):
        return None if name == absent else object()

    monkeypatch.setattr(progress.importlib.util, "find_spec", find)
    with pytest.raises(InputError, match=rf"config\.telemetry\.tensorboard=True needs {absent}"):
        progress.check_events()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (6.2, "0:07"), (750, "12:30"), (10930, "3:02:10"), (-1, "0:00")],
)
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


def test_the_board_tells_run_cycle_step_and_time_left(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Terminal() as board:
        board.study_started(runs=12, done=2, steps=1000)
        board.training_started("res8.on.random.s0.c03", "4 of 10", 0, 100)
        now[0] = 20.0
        board.training_logged("res8.on.random.s0.c03", 50, {})
        board.training_started("finished before", "4 of 10", 100, 100)  # goes unseen
        board.training_started("resumed", "5 of 10", 40, 100)
        now[0] = 40.0
        board.training_logged("resumed", 90, {})
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        # 50 of 1000 steps in 20 s leave 950 for 380 s; then 100 in 40 s leave 900 for 360 s.
        "run 3 of 12  6:20 left  cycle 4 of 10  step 50/100  res8.on.random.s0.c03",
        "run 4 of 12  6:00 left  cycle 5 of 10  step 90/100  resumed",
    ]


def test_the_rate_of_a_pass_leaves_out_compilation_and_what_was_done_before(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Terminal() as board:
        board.study_started(1, 0, 1)
        for run, done, seconds in [
            ("a", 64, 90.0), ("a", 128, 92.0), ("a", 256, 96.0), ("a", 2, 30.0), ("a", 5, 40.0),
            ("b", 900_000, 50.0), ("b", 904_000, 60.0),
        ]:  # fmt: skip
            now[0] += 11.0
            board.scored(run, done, 1_000_000, seconds)
    rates = [line.partition("/1,000,000  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert rates == [
        "-:-- left  a", "32 images/s  8:40:46 left  a", "32 images/s  8:40:42 left  a",
        "-:-- left  a", "0.3 images/s  925:55:17 left  a",
        "-:-- left  b", "400 images/s  4:00 left  b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "text"),
    [(12345.6, "12,346"), (12.3, "12"), (9.96, "10.0"), (0.32, "0.3"), (0.03, "0.03")],
)
def test_a_rate_is_never_shown_as_nothing(rate, text):
    assert progress.per_second(rate) == text


def test_what_cannot_be_written_of_a_journal_is_named(tmp_path, monkeypatch):
    journal = Journal(tmp_path, 0)
    journal.write(0, {"loss": 1.0})
    with full_disk(30), pytest.raises(RunError, match=r"metrics\.jsonl: cannot be written"):
        journal.write(1, {"loss": 1.0})
    journal.close()

    class Full:
        def write_scalars(self, step, scalars):
            raise ValueError("events: No space left on device\nand more")

    monkeypatch.setattr(progress, "event_writer", lambda _: Full())
    journal = Journal(tmp_path / "b", 0, tensorboard=True)
    with pytest.raises(RunError, match=r"^.*/b/events: cannot be written: events: No space left"):
        journal.write(1, {"loss": 1.0})


def test_a_quiet_board_says_nothing(capsys):
    with Terminal(shown=False) as board:
        board.study_started(2, 0, 10)
        board.training_started("x", "1 of 2", 0, 10)
        board.training_logged("x", 10, {})
    assert capsys.readouterr().err == ""


def test_a_count_is_shown_when_it_takes_long(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Count("listing drives") as count:
        for now[0] in (0.5, 2.0, 14.0):
            count.add(1000)
    assert capsys.readouterr().err == "listing drives  3,000\n"
    with progress.Count("listing a few") as count:
        count.add(5)
    assert capsys.readouterr().err == ""
