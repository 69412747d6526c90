import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salx.data import datasets
from salx.infra.errors import RunError
from salx.study import pick_statistics
from tests import pixels

levels = st.integers(0, 6).map(lambda level: level / 255)


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(2), st.just(2)), elements=levels)
)
def test_near_is_the_share_with_another_one_close(thumbs):
    gaps = np.abs(thumbs[:, None].astype(np.float64) - thumbs[None]).mean((2, 3))
    np.fill_diagonal(gaps, np.inf)
    if np.abs(gaps - pick_statistics.NEAR).min() < 1e-7:
        return  # a tie within float32's error
    assert pick_statistics.near(thumbs) == (gaps < pick_statistics.NEAR).any(1).mean()


def test_counts_are_of_labels_or_of_labelled_pixels():
    squares = pixels.Squares(5, 0)
    items = [squares[index] for index in range(5)]
    seen = np.stack([item["label"] for item in items])
    assert pick_statistics.counts(pixels.dataset().task, items, 3) == [
        int((seen == c).sum()) for c in range(3)
    ]
    digits = datasets.load({"name": "digits"})
    items = [digits.pool[index] for index in (0, 5, 5, 9)]
    labels = digits.pool.labels[[0, 5, 5, 9]]
    expected = [int((labels == c).sum()) for c in range(10)]
    assert pick_statistics.counts(digits.task, items, 10) == expected


def test_picks_are_told_and_shown():
    digits = datasets.load({"name": "digits"})
    told, strip = pick_statistics.describe(digits, [5, 9, 5, *range(100, 117)])
    assert (told["looked_at"], sum(told["classes"])) == (20, 20)
    assert told["near_duplicates"] >= 0.1  # the 5 is there twice
    image = cv2.imdecode(np.frombuffer(strip, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (pick_statistics.HEIGHT, 12 * pick_statistics.HEIGHT, 3)
    grown = cv2.resize(digits.pool.images[9], (48, 48), interpolation=cv2.INTER_NEAREST)
    assert (image[:, 48:96] == grown[..., None]).all()


class Broken(pixels.Squares):
    """Squares of which the third cannot be read, without labels."""

    def __getitem__(self, index):
        if index == 2:
            raise ValueError("cut short")
        return {"image": self.images[index]}


def test_pools_without_labels_and_images_that_cannot_be_read():
    dataset = pixels.dataset()._replace(pool=Broken(4, 0))
    assert pick_statistics.describe(dataset, [0, 3])[0]["classes"] is None
    with pytest.raises(RunError, match="square_0_2' cannot be read: cut short"):
        pick_statistics.describe(dataset, [0, 2])
