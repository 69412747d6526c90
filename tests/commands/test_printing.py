"""What commands print, on any terminal, and what they say of words that are no text."""

import io
import re
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from salx import commands
from tests.builders import ROOT, SMALL


class Terminal(io.TextIOWrapper):
    """A standard output of another encoding."""

    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding)

    def shown(self):
        """What was printed, as far as the encoding goes."""
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.mark.parametrize(("encoding", "gain"), [("utf-8", "±"), ("latin-1", "±"), ("ascii", "?")])
def test_a_report_prints_what_a_terminal_can_show(finished, monkeypatch, encoding, gain):
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert commands.main(["report", str(finished[0])]) == 0
    shown = terminal.shown()
    assert shown.endswith(f"{finished[0]}/report/index.html\n")
    assert f" {gain} " in shown


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_study_prints_what_a_terminal_can_show(finished, compiled, encoding):
    words = [sys.executable, "-m", "salx.main", f"--config={SMALL}", f"--workdir={finished[0]}"]
    env = {**compiled, "PYTHONIOENCODING": encoding}
    done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"report: {finished[0]}/report/index.html" in done.stdout.decode(encoding)


class Full(io.TextIOWrapper):
    """A standard output on a full disk, or of a pipe that nobody reads."""

    def __init__(self, error):
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.error = error

    def flush(self):
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device"), "salx: the output: No space left on device\n"),
        (BrokenPipeError(32, "Broken pipe"), ""),
    ],
)
def test_an_output_that_nobody_takes_is_no_traceback(monkeypatch, capsys, error, line):
    monkeypatch.setattr(sys, "stdout", Full(error))
    with pytest.raises(SystemExit) as end:
        commands.main(["--help"])
    assert end.value.code == 1
    assert capsys.readouterr().err == line


COMMANDS = [
    ["select", "--pool=x", "--budget=1", "--out=p.jsonl"],
    ["convert", "a.npz", "b.npz"],
    ["report", "w"],
    ["latency", "--model=res8"],
]


@pytest.mark.parametrize("name", ["a\0b", "a\udcffb", "x" * 256])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_words_that_are_no_names_are_refused(capsys, words, name):
    if name.startswith("x") and words[0] == "latency":
        pytest.skip("it takes no files")
    flag, equals, _ = words[1].partition("=")
    more = f"{flag}{equals}{name}" if equals else name
    assert commands.main([words[0], more, *words[2:]]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("salx: ")


@pytest.mark.parametrize("flag", ["config", "workdir", "config.dataset.dir", "config.name"])
@pytest.mark.parametrize("name", ["a\0b", "a\udcffb"])
def test_words_of_a_study_that_are_no_text_are_refused(capsys, flag, name):
    with pytest.raises(SystemExit) as end:
        commands.main(["study", f"--{flag}={name}"])
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("words", [["select"], ["convert", "a"], ["report"], ["latency", "--x"]])
def test_flags_that_are_missing_or_unknown_are_one_line(capsys, words):
    assert commands.main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("salx: ")


LONG = """
import pathlib, time
pathlib.Path("started").touch()
time.sleep(60)
"""


@pytest.mark.parametrize(
    "words",
    [["latency", "--model=long:Net"], ["select", "--surrogate=long:Net", "--pool=.", "--budget=1"]],
    ids=lambda words: words[0],
)
def test_ctrl_c_is_one_line(tmp_path, compiled, words):
    (tmp_path / "long.py").write_text(LONG)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    if words[0] == "select":
        words = [*words, "--out=../picks.jsonl"]
    command = [sys.executable, "-m", "salx", *words]
    env = {**compiled, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while not (tmp_path / "started").exists():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    assert err == "salx: interrupted; the same command goes on from here\n"


def test_warnings_are_lines_of_ours(tmp_path, capsys):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    words = ["--policy=random", f"--pool={tmp_path}", "--budget=1", f"--out={tmp_path}.jsonl"]
    assert commands.main(["select", *words]) == 0
    err = capsys.readouterr().err
    assert err.startswith("salx: warning: data set 'folder': images one pixel high or wide")
    assert err.count("\n") == 1


def test_help_of_a_study_tells_its_flags():
    done = subprocess.run(
        [sys.executable, "-m", "salx", "study", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    flags = set(re.findall(r"^  --(?:\[no\])?(\w+):", done.stdout, re.MULTILINE))
    assert flags >= {"config", "workdir", "plan", "worker", "coordinator", "processes", "process"}
