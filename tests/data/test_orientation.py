"""Images are shown as their cameras say, and masks stay with their images."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image, ImageOps

from salx.data import datasets, decoding, headers
from salx.infra.errors import InputError
from tests.data.files import encoded, picture, write

TURNS = range(1, 9)


def content(image, turn, kind="JPEG", **options):
    """The content of a file with an orientation."""
    exif = Image.Exif()
    exif[headers.ORIENTATION] = turn
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, exif=exif, **options)
    return file.getvalue()


def pool(root, **options):
    return datasets.raw({"name": "folder", "dir": str(root), "labels": "none", **options})


def masked(root, **options):
    options = {"labels": "folders", "task": "segmentation", "classes": ("a", "b"), **options}
    return pool(root, **options)


def pair(root, image, mask, turn):
    """An image with an orientation, and its mask."""
    write(root / "images" / "a.png", content(image, turn, "PNG"))
    write(root / "masks" / "a.png", mask)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("turn", TURNS)
def test_an_image_is_seen_as_pillow_turns_it(tmp_path, kind, turn):
    file = content(picture(size=(16, 24)), turn, kind)
    path = write(tmp_path / f"a.{kind.lower()}", file)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    made = pool(tmp_path)
    shown = made.pool[0]["image"]
    assert made.image_shape == shown.shape == upright.shape
    lossy = kind in ("WEBP", "AVIF")  # whose colours two decoders round in two ways
    assert np.abs(shown.astype(int) - upright).max() <= 3 * lossy
    assert shown.flags.c_contiguous


def test_the_set_can_say_no(tmp_path, caplog):
    write(tmp_path / "a.jpg", content(picture(), 6))
    assert pool(tmp_path).image_shape == (8, 6, 3)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.endswith("(orientation='ignore' leaves them as stored): 1 (a.jpg)")
    plain = pool(tmp_path, orientation="ignore")
    assert (plain.image_shape, plain.pool[0]["image"].shape) == ((6, 8, 3), (6, 8, 3))
    assert plain.fingerprint != pool(tmp_path).fingerprint
    with pytest.raises(InputError, match="orientation 'no'"):
        pool(tmp_path, orientation="no")


def test_the_fingerprint_is_that_of_before_where_nothing_is_turned(tmp_path):
    write(tmp_path / "a.jpg", content(picture(), 1))
    write(tmp_path / "b.png", picture(1))
    sizes = np.array([(tmp_path / name).stat().st_size for name in ("a.jpg", "b.png")], np.int64)
    marks = datasets.sealed.canonical([2, 0, []])
    before = datasets.fingerprint(["a.jpg", "b.png"], marks, sizes.tobytes(), b"")
    assert pool(tmp_path).fingerprint == before


def test_turned_images_have_one_shape_with_those_that_need_no_turn(tmp_path):
    write(tmp_path / "a.jpg", content(picture(size=(6, 8)), 8))
    write(tmp_path / "b.png", picture(size=(8, 6)))
    assert pool(tmp_path).image_shape == (8, 6, 3)
    assert pool(tmp_path, orientation="ignore").image_shape == (0, 0, 3)


@pytest.mark.parametrize("turn", [5, 6, 7, 8])
@pytest.mark.parametrize("drawn_on", ["stored", "turned"])
def test_a_mask_fits_its_image_whichever_it_was_drawn_on(tmp_path, turn, drawn_on):
    image = picture()
    mask = image[..., 0] % 2
    upright = decoding.turned(mask, turn)
    pair(tmp_path, image, mask if drawn_on == "stored" else upright, turn)
    item = pickle.loads(pickle.dumps(masked(tmp_path).pool))[0]
    assert item["label"].tolist() == (item["image"][..., 0] % 2).tolist() == upright.tolist()


@pytest.mark.parametrize(("turn", "size"), [(3, (6, 8)), (2, (6, 8)), (6, (8, 8))])
def test_where_sizes_do_not_tell_the_user_has_to(tmp_path, turn, size):
    image = picture(size=size)
    mask = image[..., 0] % 2
    pair(tmp_path, image, mask, turn)
    with pytest.raises(InputError, match=rf"images/a\.png: .* orientation {turn} .*='apply'"):
        masked(tmp_path)
    item = masked(tmp_path, orientation="ignore").pool[0]
    assert (item["image"] == image).all()
    assert (item["label"] == mask).all()
    item = masked(tmp_path, orientation="apply").pool[0]
    assert (item["image"] == decoding.turned(image, turn)).all()
    assert (item["label"] == mask).all()


def test_the_sets_of_papers_stay_as_stored(tmp_path):
    for split in ("train", "val"):
        write(tmp_path / split / "n01440764" / "a.JPEG", content(picture(), 6))
    made = datasets.raw({"name": "imagenet", "dir": str(tmp_path)})
    assert made.pool[0]["image"].shape == (6, 8, 3)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"MM\0*\0\0\0\x08\0\1\1\x12",
    ],
)
def test_broken_exif_turns_nothing(exif):
    assert headers.orientation(exif) == 1


def test_headers_are_those_that_pillow_reads(tmp_path):
    for kind in (".jpg", ".png", ".bmp", ".webp", ".tif", ".gif", ".avif", ".jp2", ".ppm"):
        path = write(tmp_path / f"a{kind}", encoded(picture(size=(60, 40)), kind))
        assert headers.read(path) == (60, 40, 1, 8), kind
    assert headers.read(write(tmp_path / "b.png", b"no image")) is None
    assert headers.read(tmp_path / "gone.png") is None


def test_a_long_segment_before_the_size_is_stepped_over(tmp_path):
    exif = Image.Exif()
    exif[headers.ORIENTATION] = 6
    exif[0x010E] = "x" * 30_000
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "JPEG", exif=exif, icc_profile=b"y" * 90_000)
    assert headers.read(write(tmp_path / "a.jpg", file.getvalue())) == (6, 8, 6, 8)
