import grain
import numpy as np
import pytest
from sklearn.datasets import load_digits

from salx import data
from salx.data import loader
from salx.errors import InputError, RunError


@pytest.fixture(scope="module")
def digits():
    return data.load({"name": "digits"})


class Numbers:
    """A source whose images are their own ids."""

    def __init__(self, n, broken=()):
        self.keys, self.broken = [f"file_{i}" for i in range(n)], broken

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        if index in self.broken:
            raise ValueError("truncated")
        return {"image": np.full((2, 2, 1), index, np.uint8), "label": np.int32(index % 3)}


def test_the_digits_are_all_there_once(digits):
    original = load_digits()
    assert (len(digits.pool), len(digits.val)) == (1437, 360)
    keys = [*digits.pool.keys, *digits.val.keys]
    assert sorted(keys) == [f"digit_{i:04d}" for i in range(1797)]
    for source in (digits.pool, digits.val):
        for index in (0, len(source) // 2, len(source) - 1):
            which = int(source.keys[index][-4:])
            example = source[index]
            assert example["image"].dtype == np.uint8
            assert (example["image"][..., 0] == original.images[which] * 15).all()
            assert example["label"] == original.target[which]
    images = np.stack([digits.pool[i]["image"] for i in range(1437)]) / 255
    assert abs(images.mean() - digits.mean[0]) < 0.01
    assert abs(images.std() - digits.std[0]) < 0.01


def test_many_at_once_are_those_one_by_one(digits):
    indices = np.array([7, 0, 1436, 7])
    together = loader.stacked(digits.pool, indices)
    for place, index in enumerate(indices):
        assert (together["image"][place] == digits.pool[index]["image"]).all()
        assert together["label"][place] == digits.pool[index]["label"]
    assert together["id"].tolist() == indices.tolist()


def test_the_fingerprint_is_of_content_and_order(digits):
    # Fixed: another value means that ids in old records mean other images.
    assert digits.fingerprint.startswith("sha256:")
    assert digits.fingerprint == data.load({"name": "digits"}).fingerprint
    assert data.fingerprint(["a", "b"], b"x") != data.fingerprint(["b", "a"], b"x")
    assert data.fingerprint(["a", "b"], b"x") != data.fingerprint(["ab"], b"x")
    assert data.fingerprint(["a"], b"x") != data.fingerprint(["a"], b"y")


def test_unknown_sets_and_options_are_named():
    with pytest.raises(InputError, match="did you mean 'digits'"):
        data.load({"name": "digit"})
    with pytest.raises(InputError, match=r"config\.dataset 'dir'"):
        data.load({"name": "digits", "dir": "/x"})


def drain(iterator):
    return [{name: value.tolist() for name, value in batch.items()} for batch in iterator]


def test_every_epoch_holds_every_example_once():
    ids = np.array([3, 1, 4, 15, 9, 2, 6])
    seen = [i for b in drain(loader.training(Numbers(20), ids, 5, 2, 21)) for i in b["id"]]
    assert len(seen) == 42
    epochs = np.reshape(seen, (6, 7))
    assert all(sorted(epoch) == sorted(ids) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 6


def test_images_labels_and_ids_stay_together():
    for batch in loader.training(Numbers(50), np.arange(50), 1, 10, 5):
        assert (batch["image"][:, 0, 0, 0] == batch["id"]).all()
        assert (batch["label"] == batch["id"] % 3).all()


@pytest.mark.parametrize("threads", [0, 3])
def test_a_resumed_stream_goes_on_with_the_same_batches(threads):
    def stream():
        return loader.training(Numbers(30), np.arange(30), 9, 4, 20, threads)

    undisturbed = drain(stream())
    first = stream()
    for _ in range(7):
        next(first)
    resumed = stream()
    resumed.set_state(first.get_state())
    assert drain(resumed) == undisturbed[7:]


def test_a_pass_masks_what_fills_the_last_batch():
    batches = list(loader.whole(Numbers(20), np.array([5, 3, 8, 1, 19]), 4))
    assert [batch["id"].tolist() for batch in batches] == [[5, 3, 8, 1], [19, 19, 19, 19]]
    assert [batch["mask"].tolist() for batch in batches] == [[True] * 4, [True] + [False] * 3]
    assert list(loader.whole(Numbers(20), np.zeros(0, int), 4)) == []


@pytest.mark.parametrize("processes", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [1, 6, 11, 20])
def test_the_processes_share_a_pass_and_a_stream(monkeypatch, processes, size):
    source, ids = Numbers(40), np.arange(size)
    monkeypatch.setattr(loader.jax, "process_count", lambda: processes)
    passes, streams = [], []
    for index in range(processes):
        monkeypatch.setattr(loader.jax, "process_index", lambda index=index: index)
        passes.append(list(loader.whole(source, ids, 6)))
        streams.append(drain(loader.training(source, ids, 2, 6, 4)))
    assert len({len(part) for part in passes}) == 1
    seen = [int(i) for part in passes for b in part for i in b["id"][b["mask"]]]
    assert sorted(seen) == list(range(size))
    monkeypatch.undo()
    for step, batch in enumerate(drain(loader.training(source, ids, 2, 6, 4))):
        together = [i for part in streams for i in part[step]["id"]]
        assert sorted(together) == sorted(batch["id"])


def test_an_unreadable_example_is_named():
    with pytest.raises(RunError, match="example 'file_2' cannot be read: truncated"):
        drain(loader.whole(Numbers(5, broken={2}), np.arange(5), 5, threads=2))


def test_the_iterator_is_grains():
    iterator = loader.training(Numbers(8), np.arange(8), 0, 4, 2)
    assert isinstance(iterator, grain.DatasetIterator)
