"""Picks that are there twice are told, and stay."""

import cv2
import numpy as np
import pytest

import salx
from salx.selection.duplicates import difference_hash, find_duplicates
from salx.selection.pool import images
from tests.data.files import write


def scene(seed, size=(48, 64)):
    """uint8[H, W, 3]: soft shapes, as photographs have them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """a, b and c are one file, d is a smaller JPEG of e, the others are themselves."""
    root = tmp_path_factory.mktemp("twice")
    for key in ("a.png", "b.png", "deep/c.png"):
        write(root / key, scene(0))
    write(root / "d.jpg", scene(1, (40, 56)))
    write(root / "e.png", scene(1))
    for number in range(4):
        write(root / f"f{number}.png", scene(2 + number))
    for number, value in enumerate((0, 90, 255)):
        write(root / f"g{number}.png", np.full((48, 64, 3), value, np.uint8))
    return images(root)


def duplicates(pool, picks, labelled=()):
    ids = [np.array([pool.keys.index(key) for key in keys], np.int64) for keys in (picks, labelled)]
    return find_duplicates(pool, *ids)


def test_equal_files_and_nearly_equal_pictures(pool):
    done = duplicates(pool, pool.keys)
    assert (done.same, done.near, done.pair) == (3, 2, ("a.png", "b.png"))
    assert done.in_words() == (
        "3 of the picks have the same bytes and 2 more look nearly the same as another that is "
        "picked or labelled, such as a.png and b.png; none is left out"
    )


def test_what_is_labelled_counts_too(pool):
    assert duplicates(pool, ["a.png"], ["b.png", "deep/c.png", "e.png"]).same == 1
    done = duplicates(pool, ["f0.png", "d.jpg"], ["e.png"])
    assert (done.same, done.near, done.pair) == (0, 1, ("d.jpg", "e.png"))
    assert done.in_words().startswith("1 of the picks look nearly the same as another")
    none = duplicates(pool, ["f0.png", "d.jpg"], ["a.png", "b.png"])
    assert (none.same, none.near, none.pair, none.in_words()) == (0, 0, (), "")


def test_plain_pictures_differ_by_their_colour(pool):
    assert duplicates(pool, ["g0.png", "g1.png", "g2.png"]).near == 0


def test_only_picks_and_labelled_are_read(pool, monkeypatch):
    read = []
    source = type(pool.dataset.pool)
    get = source.__getitem__
    monkeypatch.setattr(source, "__getitem__", lambda self, id_: read.append(id_) or get(self, id_))
    duplicates(pool, ["a.png", "e.png"], ["f0.png"])
    assert sorted(read) == sorted(pool.keys.index(key) for key in ("a.png", "e.png", "f0.png"))


def test_the_hash_stands_compression_and_size():
    for seed in range(20):
        picture = scene(seed, (120, 160))
        small = cv2.resize(picture, (80, 60), interpolation=cv2.INTER_AREA)
        coded = cv2.imdecode(cv2.imencode(".jpg", small)[1], cv2.IMREAD_COLOR)
        marks = [difference_hash(each) for each in (picture, coded, scene(seed + 100, (120, 160)))]
        assert np.bitwise_count(marks[0] ^ marks[1]) <= 3
        assert np.bitwise_count(marks[0] ^ marks[2]) > 10


def test_a_selection_and_the_command_tell(pool, choose, tmp_path):
    selection = salx.select(pool, None, "random", budget=12)
    assert selection.duplicates.same == 3
    flags = [f"--pool={pool.root}", "--policy=random", f"--out={tmp_path}/p.jsonl"]
    code, out, err = choose(*flags, "--budget=12")
    assert code == 0, err
    (line,) = [line for line in out.splitlines() if "the same bytes" in line]
    assert line.startswith(f"{tmp_path}/p.jsonl: 3 of the picks have the same bytes and 2 more")


def test_a_set_without_files_is_compared_by_its_pixels():
    digits = images("digits")
    selection = salx.select(digits, None, "random", budget=5)
    assert selection.duplicates.same == 0
