import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salx import records
from salx.infra import storage
from salx.infra.errors import InputError

KEYS = [f"key_{i}" for i in range(100)]


def header(cycle, parent=None, fingerprint="sha256:data"):
    return {"cycle": cycle, "parent": parent, "data": {"fingerprint": fingerprint}}


def write(folder, cycle, ids, parent=None, **more):
    content = records.encode(header(cycle, parent, **more), np.array(ids), KEYS, np.ones(len(ids)))
    storage.write_file(records.record_path(folder, cycle), content)
    return records.read(records.record_path(folder, cycle)).header["digest"]


@pytest.mark.parametrize(
    ("size", "last"), [(2975, 595), (20210, 4042), (1_281_167, 256_233), (1437, 287)]
)
def test_ten_steps_make_exactly_a_fifth(size, last):
    steps = records.budgets(size, 0.2, 10)
    assert len(steps) == 10
    assert steps[-1] == last


@given(st.integers(1, 10**7), st.integers(1, 50), st.integers(1, 100))
def test_no_step_strays_from_its_share(size, cycles, percent):
    steps = records.budgets(size, percent / 100, cycles)
    exact = np.arange(1, cycles + 1) * size * percent / 100 / cycles
    assert np.abs(np.array(steps) - exact).max() <= 0.5 + 1e-6
    assert steps[-1] <= size
    assert sorted(steps) == steps


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.floats(width=32, allow_nan=False, allow_infinity=False)),
        unique_by=lambda pick: pick[0],
    )
)
def test_a_record_gives_back_what_was_written(tmp_path_factory, picks):
    ids = np.array([i for i, _ in picks], np.int64)
    scores = np.array([s for _, s in picks], np.float32)
    path = tmp_path_factory.getbasetemp() / "record.jsonl"
    path.write_bytes(records.encode(header(0), ids, KEYS, scores))
    record = records.read(path)
    assert record.ids.tolist() == ids.tolist()
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert [line["key"] for line in lines] == [KEYS[i] for i in ids]
    assert [line["rank"] for line in lines] == list(range(len(ids)))
    assert np.array([line["score"] for line in lines], np.float32).tolist() == scores.tolist()


def test_every_damaged_byte_is_found(tmp_path):
    path = records.record_path(tmp_path, 0)
    write(tmp_path, 0, [4, 2])
    sound = path.read_bytes()
    for position in range(len(sound)):
        changed = bytearray(sound)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"cycle_00\.jsonl"):
            records.read(path)
        path.write_bytes(sound[:position])
        with pytest.raises(InputError, match=r"cycle_00\.jsonl"):
            records.read(path)


def test_a_chain_ends_at_the_first_absent_cycle(tmp_path):
    first = write(tmp_path, 0, [4, 2])
    second = write(tmp_path, 1, [7], first)
    write(tmp_path, 3, [9], second)
    chain = records.read_chain(tmp_path, 10, "sha256:data")
    assert [record.ids.tolist() for record in chain] == [[4, 2], [7]]
    assert records.labelled(chain).tolist() == [2, 4, 7]
    assert records.labelled([]).tolist() == []


@pytest.mark.parametrize(
    ("ids", "parent", "fingerprint", "message"),
    [
        ([2], "first", "sha256:data", "picked twice"),
        ([7, 7], "first", "sha256:data", "picked twice"),
        ([7], "sha256:other", "sha256:data", "does not follow"),
        ([7], "first", "sha256:other", "other data"),
    ],
)
def test_a_chain_that_does_not_hold_is_refused(tmp_path, ids, parent, fingerprint, message):
    first = write(tmp_path, 0, [4, 2])
    write(tmp_path, 1, ids, first if parent == "first" else parent, fingerprint=fingerprint)
    with pytest.raises(InputError, match=message) as error:
        records.read_chain(tmp_path, 10, "sha256:data")
    assert "cycle_01.jsonl" in str(error.value)
