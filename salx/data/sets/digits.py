"""Real handwritten digits: the 1,797 8x8 images that scikit-learn carries.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, 1998 (its test part). Every fifth image, 360 of them, is validation; the
other 1,437 are the pool.
"""

import numpy as np

from salx.data.datasets import Dataset, fingerprint, register
from salx.tasks.classification import Classification


class Digits:
    """Some of the digits, in scikit-learn's order."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, original: np.ndarray):
        self.images, self.labels = images, labels
        self.keys = [f"digit_{index:04d}" for index in original]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return {"image": self.images[index], "label": self.labels[index]}

    take = __getitem__  # numpy's indexing takes an array of them as well


@register("digits")
def load() -> Dataset:
    """The digits, as grey levels 0, 15, ... 240 (the set has 17 levels)."""
    from sklearn import datasets  # takes a second, for nobody else

    bunch = datasets.load_digits()
    images = (bunch.images * 15).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int32)
    index = np.arange(len(labels))
    val = index % 5 == 0
    pool, held_out = (Digits(images[half], labels[half], index[half]) for half in (~val, val))
    return Dataset(
        name="digits",
        task=Classification(),
        about="8x8 handwritten digits of the UCI repository, as scikit-learn carries them",
        classes=tuple(str(digit) for digit in range(10)),
        pool=pool,
        val=held_out,
        image_shape=images.shape[1:],
        mean=(0.287,),
        std=(0.354,),
        fingerprint=fingerprint(pool.keys, images.tobytes(), labels.tobytes()),
    )
