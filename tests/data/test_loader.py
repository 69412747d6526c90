import numpy as np
import pytest
from sklearn.datasets import load_digits

from salx.data import datasets, loader
from salx.data.options import Readers
from salx.infra.errors import InputError, RunError, renamed
from tests.data.streams import eval_batches, train_batches


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


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
    assert digits.fingerprint == datasets.load({"name": "digits"}).fingerprint
    assert datasets.fingerprint(["a", "b"], b"x") != datasets.fingerprint(["b", "a"], b"x")
    assert datasets.fingerprint(["a", "b"], b"x") != datasets.fingerprint(["ab"], b"x")
    assert datasets.fingerprint(["a"], b"x") != datasets.fingerprint(["a"], b"y")


def test_unknown_sets_and_options_are_named():
    with pytest.raises(InputError, match="did you mean 'digits'"):
        datasets.load({"name": "digit"})
    with pytest.raises(InputError, match="unknown field of the options 'dir'"):
        datasets.load({"name": "digits", "dir": "/x"})
    with pytest.raises(InputError, match=r"config\.dataset 'dir'"), renamed("config.dataset."):
        datasets.load({"name": "digits", "dir": "/x"})


def test_options_of_all_sets_are_checked():
    for field, value in (("resize", -1), ("resize", "8"), ("cache", 5), ("on_error", "skp")):
        with pytest.raises(InputError, match=rf"\b{field}\b") as caught, renamed("config.dataset."):
            datasets.load({"name": "digits", field: value})
        assert f"config.dataset.{field}" in str(caught.value)
        with pytest.raises(InputError, match=rf"^(unknown )?{field}\b"):
            datasets.load({"name": "digits", field: value})


def drain(iterator):
    return [{name: value.tolist() for name, value in batch.items()} for batch in iterator]


def noisy(item, rng):
    """A transform whose result tells what it drew."""
    return {**item, "drawn": rng.integers(2**60)}


def test_every_epoch_holds_every_example_once():
    ids = np.array([3, 1, 4, 15, 9, 2, 6])
    seen = [i for b in drain(train_batches(Numbers(20), None, ids, 5, 2, 21)) for i in b["id"]]
    assert len(seen) == 42
    epochs = np.reshape(seen, (6, 7))
    assert all(sorted(epoch) == sorted(ids) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 6


def test_images_labels_and_ids_stay_together():
    for batch in train_batches(Numbers(50), None, np.arange(50), 1, 10, 5):
        assert (batch["image"][:, 0, 0, 0] == batch["id"]).all()
        assert (batch["label"] == batch["id"] % 3).all()


def test_an_example_is_drawn_from_seed_epoch_and_id():
    def drawn(ids, seed, batch):
        """{(epoch, id): what was drawn} over three epochs."""
        batches = train_batches(Numbers(30), noisy, ids, seed, batch, 3 * len(ids) // batch)
        pairs = [(i, d) for b in drain(batches) for i, d in zip(b["id"], b["drawn"], strict=True)]
        return {(place // len(ids), i): d for place, (i, d) in enumerate(pairs)}

    whole, part = drawn(np.arange(24), 7, 4), drawn(np.arange(0, 24, 2), 7, 6)
    assert len(set(whole.values())) == 3 * 24
    assert all(whole[pair] == value for pair, value in part.items())
    assert not set(whole.values()) & set(drawn(np.arange(24), 8, 4).values())


@pytest.mark.parametrize("transform", [None, noisy])
@pytest.mark.parametrize(("threads", "workers"), [(0, 0), (3, 0), (0, 4)])
def test_a_resumed_stream_goes_on_with_the_same_batches(transform, threads, workers):
    def stream(start, *readers):
        return drain(
            train_batches(Numbers(30), transform, np.arange(30), 9, 4, 20, start, Readers(*readers))
        )

    undisturbed = stream(0)
    assert stream(13, threads, workers) == undisturbed[13:]
    assert stream(20, threads, workers) == []


def test_a_pass_masks_what_fills_the_last_batch():
    ids = np.array([5, 3, 8, 1, 19])
    batches = list(eval_batches(Numbers(20), None, ids, 4))
    assert [batch["id"].tolist() for batch in batches] == [[5, 3, 8, 1], [19, 19, 19, 19]]
    assert [batch["mask"].tolist() for batch in batches] == [[True] * 4, [True] + [False] * 3]
    assert drain(eval_batches(Numbers(20), None, ids, 4, first=1)) == drain(batches)[1:]
    assert list(eval_batches(Numbers(20), None, np.zeros(0, int), 4)) == []


@pytest.mark.parametrize("hosts", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 30, 31, 44])
def test_the_hosts_share_a_pass_and_a_stream(monkeypatch, hosts, size):
    source, ids, batch = Numbers(60), np.arange(60)[::-1][:size], 30
    monkeypatch.setattr(loader.jax, "process_count", lambda: hosts)
    passes, streams = [], []
    for index in range(hosts):
        monkeypatch.setattr(loader.jax, "process_index", lambda index=index: index)
        passes.append(list(eval_batches(source, None, ids, batch)))
        streams.append(drain(train_batches(source, noisy, ids, 2, batch, 4)))
    for parts in (passes, streams):
        assert len({len(part) for part in parts}) == 1
        assert {len(b["id"]) for part in parts for b in part} == {batch // hosts}
    seen = [int(i) for part in passes for b in part for i in b["id"][b["mask"]]]
    assert sorted(seen) == sorted(ids)
    monkeypatch.undo()
    for step, alone in enumerate(drain(train_batches(source, noisy, ids, 2, batch, 4))):
        assert [pair for part in streams for pair in pairs(part[step])] == pairs(alone)


def pairs(batch):
    return list(zip(batch["id"], batch["drawn"], strict=True))


@pytest.mark.parametrize(("threads", "workers"), [(0, 0), (2, 0), (0, 2)])
def test_an_unreadable_example_is_named(threads, workers):
    with pytest.raises(RunError, match="example 'file_2' cannot be read: truncated"):
        drain(
            eval_batches(Numbers(9, broken={2}), None, np.arange(9), 3, Readers(threads, workers))
        )


def test_a_transform_that_fails_names_the_example():
    def fails(item):
        raise ValueError(f"no use for {item['label']}")

    with pytest.raises(RunError, match="example 'file_4' cannot be read: no use for 1"):
        drain(eval_batches(Numbers(5), fails, np.array([4]), 1))
