"""A pass that is stopped goes on from what it left, to the same bytes."""

import numpy as np
import pytest

from salx.infra.errors import InputError
from salx.scoring import saved_pass
from salx.scoring.engine import Scorer
from salx.scoring.saved_pass import SavedPass


@pytest.fixture
def at_once(monkeypatch):
    """Every batch leaves its part."""
    monkeypatch.setattr(saved_pass, "EVERY", -1.0)


def stop_after(monkeypatch, batches):
    """The scorer is interrupted at its batch `batches`; a list counts its calls."""
    real, calls = Scorer.step, []

    def interrupted(scorer, question):
        score = real(scorer, question)

        def call(*batch):
            if len(calls) == batches:
                raise KeyboardInterrupt
            calls.append(1)
            return score(*batch)

        return call

    monkeypatch.setattr(Scorer, "step", interrupted)
    return calls


@pytest.mark.parametrize("policy", ["entropy", "core_set"])
def test_an_interrupted_command_goes_on(choose, small, tmp_path, monkeypatch, at_once, policy):
    (tmp_path / "have.txt").write_text("00.png\n01.png\n")
    flags = [*small, f"--policy={policy}", "--budget=5", "--batch=4"]
    flags += [f"--labelled={tmp_path}/have.txt"]
    assert choose(*flags, f"--out={tmp_path}/whole.jsonl")[0] == 0
    flags += [f"--out={tmp_path}/o/p.jsonl"]
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        code, _, err = choose(*flags)
    assert (code, err) == (130, "salx: interrupted; the same command goes on from here\n")
    assert [path.name for path in (tmp_path / "o").iterdir()] == [".p.jsonl.pass"]
    left = list((tmp_path / "o/.p.jsonl.pass").iterdir())
    assert len(left) == 3  # of five batches, two were in flight
    with monkeypatch.context() as patched:
        calls = stop_after(patched, -1)
        assert choose(*flags)[0] == 0
    assert len(calls) == 3 + (policy == "core_set")  # of 24 images in six batches, three are done
    whole, resumed = (tmp_path / name for name in ("whole.jsonl", "o/p.jsonl"))
    assert whole.read_bytes() == resumed.read_bytes()
    assert list((tmp_path / "o").iterdir()) == [resumed]


def test_parts_are_those_of_their_own_pass(tmp_path, at_once):
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    first = SavedPass(tmp_path, {"by": "a"})
    assert first.load() == {}
    for done in (2, 2, 5):
        first.save({"rows": rows}, done)
    assert len(list(tmp_path.iterdir())) == 2
    again = SavedPass(tmp_path, {"by": "a"})
    assert again.load()["rows"].tolist() == rows[:5].tolist()
    again.save({"rows": rows}, 6)
    assert SavedPass(tmp_path, {"by": "a"}).load()["rows"].tolist() == rows.tolist()
    assert SavedPass(tmp_path, {"by": "b"}).load() == {}


def test_rows_of_several_fields_are_saved_by_name(tmp_path, at_once):
    rng = np.random.default_rng(0)
    rows = {"error": rng.normal(size=(5, 3)), "deep": {"features": rng.normal(size=(5, 2, 2))}}
    arrays = saved_pass.flatten(rows)
    first = SavedPass(tmp_path, {})
    for done in (2, 5):
        first.save(arrays, done)
    back = saved_pass.unflatten(SavedPass(tmp_path, {}).load())
    assert back["error"].tolist() == rows["error"].tolist()
    assert back["deep"]["features"].tolist() == rows["deep"]["features"].tolist()
    assert saved_pass.unflatten(saved_pass.flatten(rows["error"])) is rows["error"]


def test_a_short_pass_leaves_nothing(tmp_path):
    SavedPass(tmp_path / "pass", {}).save({"rows": np.zeros(3, np.float32)}, 3)
    assert not (tmp_path / "pass").exists()


@pytest.mark.parametrize("damage", [lambda b: b[:40], lambda b: b"", lambda b: b[:-90] + b[-89:]])
def test_a_damaged_part_is_named(tmp_path, at_once, damage):
    SavedPass(tmp_path, {}).save({"rows": np.zeros(300, np.float32)}, 300)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"{path.name}: damaged"):
        SavedPass(tmp_path, {}).load()
