import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

from salx.infra import checkpoint, mesh
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import InputError, RunError
from tests.compilation_cache import devices
from tests.limits import full_disk


@pytest.fixture
def state():
    tree = {"w": np.arange(12.0, dtype=np.float32).reshape(3, 4), "step": np.int32(7)}
    return jax.device_put(tree, mesh.replicated())


@pytest.fixture
def abstract(state):
    return mesh.abstract(jax.jit(lambda: state))


def save(folder, step, state):
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(step, state)


def restore(folder, abstract):
    with Checkpoints(folder) as checkpoints:
        return checkpoints.restore(abstract)


def test_the_digest_is_of_names_shapes_types_and_values():
    tree = {"a": np.zeros((2, 3), np.float32), "b": np.int32(1)}
    others = [
        {"a": np.zeros((3, 2), np.float32), "b": np.int32(1)},
        {"a": np.zeros((2, 3), np.float16), "b": np.int32(1)},
        {"c": np.zeros((2, 3), np.float32), "b": np.int32(1)},
        {"a": np.zeros((2, 3), np.float32), "b": np.int32(2)},
        {"a": -np.zeros((2, 3), np.float32), "b": np.int32(1)},
    ]
    digests = [checkpoint.digest(other) for other in [tree, *others]]
    assert len(set(digests)) == 6
    assert checkpoint.digest(dict(reversed(tree.items()))) == digests[0]
    assert checkpoint.digest(jax.device_put(tree)) == digests[0]


def test_a_state_comes_back(tmp_path, state, abstract):
    save(tmp_path, 7, state)
    restored = restore(tmp_path, abstract)
    assert checkpoint.digest(restored) == checkpoint.digest(state)


MANY = """
import sys
from pathlib import Path
import jax
import numpy as np
from salx.infra import mesh
from salx.infra.checkpoint import Checkpoints
tree = {"w": np.arange(12.0, dtype=np.float32).reshape(3, 4), "step": np.int32(7)}
with Checkpoints(Path(sys.argv[1])) as checkpoints:
    checkpoints.save(7, jax.device_put(tree, mesh.replicated()))
print(jax.device_count())
"""


def test_what_many_devices_saved_is_read_on_one(tmp_path, state, abstract, compiled):
    four = {**compiled, "XLA_FLAGS": devices(4)}
    command = [sys.executable, "-c", MANY, str(tmp_path)]
    process = subprocess.run(command, env=four, capture_output=True, text=True)
    assert process.stdout == "4\n", process.stderr
    with Checkpoints(tmp_path) as checkpoints:
        alone = checkpoints.read(7).state
    assert {name: type(leaf) for name, leaf in alone.items()} == dict.fromkeys(alone, np.ndarray)
    assert checkpoint.digest(alone) == checkpoint.digest(state)
    assert checkpoint.digest(restore(tmp_path, abstract)) == checkpoint.digest(state)


def test_the_newest_is_kept_and_nothing_is_none(tmp_path, state, abstract):
    assert restore(tmp_path, abstract) is None
    with Checkpoints(tmp_path) as checkpoints:
        for step in (3, 7):
            checkpoints.save(step, {**state, "step": state["step"] + step})
    assert restore(tmp_path, abstract)["step"] == 14
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["7"]


def test_what_a_killed_save_left_is_ignored(tmp_path, state, abstract):
    save(tmp_path, 3, state)
    (tmp_path / "9.orbax-checkpoint-tmp" / "state").mkdir(parents=True)
    assert checkpoint.digest(restore(tmp_path, abstract)) == checkpoint.digest(state)
    save(tmp_path, 9, state)
    assert restore(tmp_path, abstract) is not None


def test_damage_is_never_restored(tmp_path, state, abstract):
    """Each file of a checkpoint is cut, emptied, overwritten and removed in turn."""
    save(tmp_path, 7, state)
    sound = checkpoint.digest(state)
    files = [path for path in (tmp_path / "7").rglob("*") if path.is_file()]
    refused = 0
    for file in files:
        content = file.read_bytes()
        changed = bytes(byte ^ 0x55 for byte in content)
        for damaged in (content[: len(content) // 2], b"", changed, None):
            file.unlink() if damaged is None else file.write_bytes(damaged)
            error = None
            try:
                restored = restore(tmp_path, abstract)
            except InputError as refusal:
                error = str(refusal)
            if error:
                refused += error.startswith(f"{tmp_path / '7'}: damaged") and "\n" not in error
            else:  # a file that does not matter, or a step that Orbax no longer counts
                assert restored is None or checkpoint.digest(restored) == sound
            file.write_bytes(content)
    assert refused > len(files)


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, state, abstract, capfd):
    save(tmp_path, 3, state)
    large = {**state, "w": np.random.default_rng(0).random((500, 500))}
    named = rf"^{tmp_path}: cannot be written: File too large$"
    with full_disk(20_000), pytest.raises(RunError, match=named):
        save(tmp_path, 7, large)
    assert capfd.readouterr().err == ""
    assert checkpoint.digest(restore(tmp_path, abstract)) == checkpoint.digest(state)
    save(tmp_path, 7, state)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["7"]


def test_another_model_is_refused(tmp_path, state, abstract):
    save(tmp_path, 7, state)
    other = mesh.abstract(jax.jit(lambda: {**state, "w": state["w"][:2]}))
    with pytest.raises(InputError, match="damaged checkpoint"):
        restore(tmp_path, other)


def cleared(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def without(*patterns):
    def remove(folder):
        for pattern in patterns:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def overwritten(folder):
    for path in folder.glob("state/**/d/*"):
        path.write_bytes(bytes(byte ^ 0x55 for byte in path.read_bytes()))


@pytest.fixture
def two(tmp_path, state):
    """A folder with the checkpoint of step 3, and a newer one of step 7."""
    folder = tmp_path / "checkpoint"
    save(folder, 3, {**state, "step": state["step"] - 4})
    shutil.copytree(folder / "3", tmp_path / "3")
    save(folder, 7, state)
    shutil.copytree(tmp_path / "3", folder / "3")
    return folder


@pytest.mark.parametrize(
    "damage",
    [
        cleared,
        without("state"),
        without("meta"),
        without("state/manifest*", "state/ocdbt.process_0"),
        overwritten,
    ],
)
def test_a_training_goes_on_from_the_sound_one_beside_an_incomplete_one(
    two, state, abstract, capfd, damage
):
    damage(two / "7")
    restored = restore(two, abstract)
    assert restored["step"] == 3
    line = f"salx: {two / '7'}: incomplete or damaged checkpoint; the run goes on from step 3\n"
    assert capfd.readouterr().err == line
    save(two, 7, state)  # where the incomplete one was
    assert restore(two, abstract)["step"] == 7
    assert capfd.readouterr().err == ""


def test_a_finished_training_and_two_damaged_checkpoints_are_errors(two, abstract):
    overwritten(two / "7")
    damaged = pytest.raises(InputError, match=f"{two / '7'}: damaged checkpoint")
    with Checkpoints(two, finished=True) as checkpoints, damaged:
        checkpoints.restore(abstract)
    overwritten(two / "3")
    with pytest.raises(InputError, match=f"{two / '7'}: damaged checkpoint"):
        restore(two, abstract)
    assert (two / "7").is_dir()


def test_notes_come_back_with_the_state_and_are_sealed(tmp_path, state, abstract):
    notes = {"metrics": [0.1, 3, -1]}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(7, state, notes)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.resume(abstract)[1] == notes
    (meta,) = (path for path in tmp_path.glob("7/meta/*") if b"metrics" in path.read_bytes())
    meta.write_text(meta.read_text().replace("0.1", "0.2"))
    with pytest.raises(InputError, match="damaged checkpoint"):
        restore(tmp_path, abstract)
