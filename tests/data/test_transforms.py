"""Transforms against float64 numpy; images carry their pixels' positions, so that what happened
to them can be read off and held against what happened to the mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salx import tasks
from salx.data import geometry, transforms
from salx.data.crops import (
    CenterCrop,
    Chain,
    Fit,
    Flip,
    Jitter,
    PadCrop,
    ResizedCrop,
    ScaleCrop,
    Whole,
)
from salx.data.geometry import Box
from salx.data.options import TransformOptions
from salx.infra.errors import InputError, renamed

TASK = tasks.get("segmentation")
FILL = (7, 8, 9)
SIDES = st.integers(1, 60)
SIZES = st.tuples(SIDES, SIDES)
SEEDS = st.integers(0, 2**31 - 1)


def positions(height, width):
    """Red is the row, green the column, blue and the label row + column; below VOID."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows, columns, rows + columns], -1).astype(np.uint8)
    return {"image": image, "label": (rows + columns).astype(np.uint8)}


def noise(height, width, channels=3):
    rng = np.random.default_rng(height * 1000 + width)
    return {
        "image": rng.integers(0, 256, (height, width, channels), np.uint8),
        "label": rng.integers(0, 19, (height, width), np.uint8),
    }


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def together(item):
    """Wherever the mask counts, its label is what the image says, up to half a pixel's rounding
    in each direction and the rounding of colours."""
    counted = item["label"] != geometry.VOID
    image, label = np.int32(item["image"])[counted], np.int32(item["label"])[counted]
    np.testing.assert_allclose(image[:, 0] + image[:, 1], label, atol=3)
    np.testing.assert_allclose(image[:, 2], label, atol=3)


def averaged(image, height, width):
    """The exact average over each new pixel's area, in float64."""

    def weights(old, new):
        edges = np.linspace(0, old, new + 1)
        low, high = edges[:-1, None], edges[1:, None]
        cells = np.arange(old)[None]
        return np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0, None) * new / old

    rows, columns = (
        weights(old, new) for old, new in zip(image.shape, (height, width), strict=False)
    )
    return np.einsum("ih,jw,hwc->ijc", rows, columns, np.float64(image))


def interpolated(image, height, width):
    """Linear between pixel centres, edges repeated, in float64."""

    def along(values, new):
        old = values.shape[0]
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - share) + values[np.minimum(low + 1, old - 1)] * share

    tall = along(np.float64(image), height)
    return np.swapaxes(along(np.swapaxes(tall, 0, 1), width), 0, 1)


@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES)
def test_shrinking_averages_growing_interpolates(old, new):
    item = noise(*old)
    got = geometry.resized(TASK, item, *new)
    shrinks = new[0] <= old[0] and new[1] <= old[1]
    exact = (averaged if shrinks else interpolated)(item["image"], *new)
    np.testing.assert_allclose(got["image"], exact, atol=1.01)
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * o / n, o - 1).astype(int)
        for o, n in zip(old, new, strict=True)
    )
    centres_clear = all(
        np.abs((np.arange(n) + 0.5) * o / n - np.rint((np.arange(n) + 0.5) * o / n)).min() > 1e-3
        for o, n in zip(old, new, strict=True)
    )
    if centres_clear:  # a centre on the border of two pixels may go to either
        assert (got["label"] == item["label"][np.ix_(rows, columns)]).all()


@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES, st.integers(-70, 70), st.integers(-70, 70))
def test_a_window_is_a_cut_from_an_endless_padding(old, new, top, left):
    item = positions(*old)
    wide = np.pad(np.int32(item["image"]), ((140, 140), (140, 140), (0, 0)), constant_values=-1)
    wide = np.where(wide < 0, FILL, wide)
    label = np.pad(item["label"], 140, constant_values=255)
    there = np.s_[top + 140 : top + 140 + new[0], left + 140 : left + 140 + new[1]]
    got = geometry.window(TASK, item, Box(top, left, *new), FILL)
    assert (got["image"] == wide[there]).all()
    assert (got["label"] == label[there]).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "transform",
    [
        ResizedCrop(TASK, (20, 30), (0.08, 1.0)),
        ScaleCrop(TASK, (20, 30), (0.5, 2.0), FILL),
        PadCrop(TASK, (20, 30), 4, FILL),
        Flip(TASK),
        Jitter(0.4),
    ],
)
def test_the_same_generator_gives_the_same_pixels(transform, channels):
    item = noise(24, 31, channels)
    if isinstance(transform, ScaleCrop | PadCrop):
        transform = type(transform)(**{**vars(transform), "fill": FILL[:channels]})
    before = item["image"].copy()
    results = [Chain((transform,))(item, generator(seed)) for seed in (*range(20), *range(20))]
    for first, again in zip(results[:20], results[20:], strict=True):
        assert (first["image"] == again["image"]).all()
        assert (first["label"] == again["label"]).all()
        assert first["image"].dtype == np.uint8
        assert first["image"].shape == (*first["label"].shape, channels)
    assert len({first["image"].tobytes() for first in results}) > 1
    assert (item["image"] == before).all()


@settings(deadline=None, max_examples=80)
@given(SIZES, SIZES, SEEDS)
def test_image_and_mask_move_together(old, new, seed):
    item = positions(*old)
    crops = [
        ResizedCrop(TASK, new, (0.08, 1.0)),
        ScaleCrop(TASK, new, (1.0, 1.0), FILL),
        PadCrop(TASK, new, 4, FILL),
    ]
    for crop in crops:
        moved = Chain((crop, Flip(TASK)))(item, generator(seed))
        assert moved["image"].shape == (*new, 3)
        assert moved["label"].shape == new
        if not isinstance(crop, ResizedCrop):  # scaling mixes neighbours
            counted = moved["label"] != geometry.VOID
            assert (moved["image"][counted][:, 2] == moved["label"][counted]).all()
            assert (moved["image"][~counted] == FILL).all()


@settings(deadline=None, max_examples=60)
@given(st.tuples(st.integers(20, 60), st.integers(20, 60)), SEEDS)
def test_scaled_images_and_masks_stay_together(old, seed):
    """Inside, away from padding: no scale above 1 here, where rounding to a pixel costs more."""
    item = positions(*old)
    together(ResizedCrop(TASK, (40, 40), (0.3, 1.0)).random_map(item, generator(seed)))
    moved = ScaleCrop(TASK, (16, 16), (1.0, 2.0), FILL).random_map(item, generator(seed))
    together(moved)
    assert (moved["label"] != geometry.VOID).all()


def test_a_resized_crop_keeps_to_its_area_and_shape():
    item, seen = positions(100, 120), []
    for seed in range(300):
        image = ResizedCrop(TASK, (50, 50), (0.08, 0.5)).random_map(item, generator(seed))["image"]
        rows, columns = np.int32(image[..., 0]), np.int32(image[..., 1])
        # The first and last centre of 50 pixels lie 49/50 of a side apart.
        height, width = ((np.ptp(side) + 1) * 50 / 49 for side in (rows, columns))
        seen.append((height * width / 12000, width / height))
    areas, ratios = np.transpose(seen)
    assert 0.06 < areas.min() < 0.12
    assert 0.45 < areas.max() < 0.56
    assert 0.68 < ratios.min() < 0.8
    assert 1.25 < ratios.max() < 1.48
    # Uniform in area: a Kolmogorov distance that 1 in 1000 such samples exceeds.
    expected = (np.sort(areas) - 0.08) / 0.42
    assert np.abs(expected - np.arange(1, 301) / 300).max() < 1.95 / np.sqrt(300)


def test_an_image_too_narrow_for_the_crop_gives_its_middle():
    item = positions(100, 4)
    image = ResizedCrop(TASK, (8, 6), (0.9, 1.0)).random_map(item, generator(0))["image"]
    assert image[..., 0].min() >= 47
    assert image[..., 0].max() <= 52


def test_a_scale_crop_pads_below_and_right():
    item = positions(10, 12)
    moved = ScaleCrop(TASK, (40, 40), (2.0, 2.0), FILL).random_map(item, generator(0))
    counted = moved["label"] != geometry.VOID
    assert counted[:20, :24].all()
    assert counted.sum() == 20 * 24
    assert (moved["image"][22:, 26:] == FILL).all()


def test_a_pad_crop_reaches_every_offset():
    item = positions(6, 6)
    offsets = set()
    for seed in range(400):
        image = PadCrop(TASK, (6, 6), 2, (200, 200, 200)).random_map(item, generator(seed))["image"]
        inside = np.argwhere(image[..., 2] < 200)[0]
        offsets.add(tuple(np.int32(image[*inside][:2]) - inside))
    assert offsets == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


def test_a_flip_is_a_mirror_every_other_time():
    item = positions(4, 7)
    flipped = 0
    for seed in range(400):
        moved = Flip(TASK).random_map(item, generator(seed))
        mirrored = (moved["image"] == item["image"][:, ::-1]).all()
        assert mirrored or (moved["image"] == item["image"]).all()
        assert (moved["label"] == (item["label"][:, ::-1] if mirrored else item["label"])).all()
        flipped += mirrored
    assert 150 < flipped < 250  # five standard deviations


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_against_numpy(channels):
    item = noise(15, 17, channels)
    grey = np.array([0.299, 0.587, 0.114] if channels == 3 else [1.0])
    for seed in range(30):
        b, c, s = generator(seed).uniform(0.6, 1.4, 3)
        image = np.float64(item["image"]) * b
        image = c * image + (1 - c) * (image @ grey).mean()
        image = s * image + (1 - s) * (image @ grey)[..., None]
        got = Jitter(0.4).random_map(item, generator(seed))
        np.testing.assert_allclose(got["image"], np.clip(image, 0, 255), atol=1.01)
        assert got["label"] is item["label"]


@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES)
def test_what_is_fit_has_all_of_the_image_and_void_around_it(old, new):
    item = positions(*old)
    got = Fit(TASK, new, FILL).map(item)
    h, w = got["size"].tolist()
    factor = min(new[0] / old[0], new[1] / old[1])
    assert (h, w) == tuple(max(1, round(side * factor)) for side in old)
    assert h == new[0] or w == new[1]
    inside = geometry.resized(TASK, item, h, w)
    assert (got["image"][:h, :w] == inside["image"]).all()
    assert (got["label"][:h, :w] == inside["label"]).all()
    outside = np.ones(new, bool)
    outside[:h, :w] = False
    assert (got["image"][outside] == FILL).all()
    assert (got["label"][outside] == 255).all()


def test_a_centre_crop_is_the_middle_of_the_scaled_image():
    item = noise(40, 64)
    got = CenterCrop(TASK, (16, 18), 20).map(item)
    exact = averaged(item["image"], 20, 32)[2:18, 7:25]
    np.testing.assert_allclose(got["image"], exact, atol=1.01)
    assert got["size"].tolist() == [16, 18]


def test_items_without_a_mask_pass():
    whole = tasks.get("classification")
    items = (TASK, {"image": noise(9, 9)["image"]}), (whole, {**noise(9, 9), "label": np.int32(4)})
    for task, item in items:
        for transform in (Fit(task, (5, 6), FILL), CenterCrop(task, (4, 4), 6), Whole()):
            got = transform.map(item)
            assert got.keys() == {*item, "size"}
            assert got.get("label") == item.get("label")


def build(task="segmentation", shape=(0, 0, 3), **config):
    with renamed("config.transform."):
        options = TransformOptions.of(config)
        return transforms.build(options, tasks.get(task), (0.5, 0.25, 1.0), shape)


def test_the_default_leaves_items_alone():
    assert build("classification", (8, 8, 1)) == (transforms.Transforms(), (8, 8, 1))
    chosen, shape = build("segmentation", (4, 6, 3))
    assert chosen.train is None
    assert shape == (4, 6, 3)
    assert chosen.evaluate(positions(4, 6))["size"].tolist() == [4, 6]


def test_a_config_builds_what_it_says():
    chosen, shape = build(
        train="scale_crop",
        size=(8, 10),
        scale=[1.0, 1.0],
        flip=True,
        jitter=0.2,
        evaluate="fit",
        evaluate_size=(12, 14),
    )
    fill = (128, 64, 255)
    steps = (ScaleCrop(TASK, (8, 10), (1.0, 1.0), fill), Flip(TASK), Jitter(0.2))
    assert chosen.train == Chain(steps)
    assert chosen.evaluate.__self__ == Fit(TASK, (12, 14), fill)
    assert shape == (12, 14, 3)
    chosen, shape = build("classification", (32, 32, 3), train="pad_crop")
    assert chosen.train == Chain((PadCrop(tasks.get("classification"), (32, 32), 4, fill),))
    assert shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"train": "scal_crop"},
            r"config\.transform\.train 'scal_crop'; did you mean 'scale_crop'",
        ),
        ({"evaluate": "fitted"}, r"config\.transform\.evaluate 'fitted'; did you mean 'fit'"),
        ({"sizes": (4, 4)}, r"config\.transform 'sizes'; did you mean 'size'"),
        ({"size": (4, 0)}, r"config\.transform\.size=\(4, 0\) must be \(H, W\)"),
        ({"size": 224}, r"config\.transform\.size=224 must be \(H, W\)"),
        (
            {"area": (0.5, 1.5)},
            r"config\.transform\.area=\(0\.5, 1\.5\) must be \(low, high\)",
        ),
        ({"scale": (2, 0.5)}, r"config\.transform\.scale=\(2, 0\.5\) must be \(low, high\)"),
        ({"pad": -1}, r"config\.transform\.pad=-1 must be a whole number"),
        ({"flip": 3}, r"config\.transform\.flip=3 must be True or False"),
        (
            {"jitter": 1.0},
            r"config\.transform\.jitter=1\.0 must be .* at least 0 and below 1",
        ),
        ({}, r"config\.transform\.train='none': the images differ"),
        ({"train": "scale_crop"}, r"config\.transform\.size=\(0, 0\): the images differ"),
        ({"train": "scale_crop", "size": (4, 4)}, r"config\.transform\.evaluate='none'"),
        (
            {
                "train": "resized_crop",
                "size": (4, 4),
                "evaluate": "center_crop",
                "evaluate_size": (8, 9),
                "evaluate_resize": 8,
            },
            r"config\.transform\.evaluate_resize=8 must be at least .* 9",
        ),
    ],
)
def test_what_cannot_be_is_named(config, message):
    with pytest.raises(InputError, match=message):
        build(**config)


def test_a_library_user_reads_the_names_of_arguments():
    options = TransformOptions(train="scale_crop")
    message = r"^size=\(0, 0\): the images differ in size; give train and size=\(H, W\)$"
    with pytest.raises(InputError, match=message):
        transforms.build(options, TASK, (0.5, 0.25, 1.0), (0, 0, 3))
    with pytest.raises(InputError, match="unknown field of the options 'sizes'; did you mean"):
        TransformOptions.of({"sizes": (4, 4)})
