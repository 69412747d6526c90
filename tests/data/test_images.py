import io

import numpy as np
import pytest
from PIL import Image

from salx.data import decoding
from tests.data.files import SHARED, encoded, picture, write

SIZES = {
    "cmyk": (299, 299),
    "gray": (299, 299),
    "png_named_jpeg": (299, 299),
    "wide_299x40": (40, 299),
    "tiny_1x1": (1, 1),
}


def content(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("name", SIZES)
def test_the_odd_files_of_imagenet_are_read(name):
    path = SHARED / "imagenet_edge_cases" / "n02814533" / f"{name}.JPEG"
    if not path.exists():
        pytest.skip("no odd image files here")
    image = decoding.read_image(path)
    assert image.shape == (*SIZES[name], 3)
    assert image.dtype == np.uint8
    # The oracle rounds a conversion from CMYK, and nothing else, in another way.
    other = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert np.abs(image - other).max() <= (name == "cmyk")


def test_channels_are_red_green_blue():
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = 200
    assert decoding.decode(content(Image.fromarray(image))).tolist() == image.tolist()


def test_the_cameras_orientation_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    turned = content(Image.fromarray(picture(size=(6, 8))), "JPEG", exif=exif)
    assert decoding.decode(turned).shape == (6, 8, 3)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.95])
def test_a_file_cut_short_is_refused(tmp_path, kind, kept):
    whole = encoded(picture(size=(60, 80)), kind)
    assert decoding.decode(whole).shape == (60, 80, 3)
    path = write(tmp_path / f"a{kind}", whole[: int(len(whole) * kept)])
    with pytest.raises(ValueError, match=rf"/a{kind}: cut short, or no image"):
        decoding.read_image(path)


def test_a_progressive_jpeg_cut_short_is_refused():
    whole = content(Image.fromarray(picture(size=(60, 80))), "JPEG", progressive=True)
    assert decoding.decode(whole).shape == (60, 80, 3)
    for kept in (0.3, 0.6, 0.95):
        with pytest.raises(ValueError, match="cut short"):
            decoding.decode(whole[: int(len(whole) * kept)])


def test_a_mask_is_the_indices_as_stored():
    mask = np.arange(256, dtype=np.uint8).reshape(8, 32)
    assert (decoding.decode_mask(encoded(mask)) == mask).all()
    coloured = Image.fromarray(mask % 5).convert("P")
    coloured.putdata((mask % 5).ravel().tolist())
    coloured.putpalette([255, 0, 0, 0, 255, 0, 9, 9, 9, 0, 0, 255, 7, 7, 7])
    for bits in (8, 4):
        indices = decoding.decode_mask(content(coloured, bits=bits))
        assert indices.dtype == np.uint8
        assert (indices == mask % 5).all()


GREY = picture(size=(60, 80))[..., 0]
NO_MASKS = {
    "colour": (encoded(picture()), "colour type 2"),
    "wide": (encoded(GREY.astype(np.uint16)), "16 bits"),
    "narrow": (content(Image.fromarray(GREY > 99)), "1 bits"),
    "lossy": (encoded(GREY, ".jpg"), "a mask is a PNG file"),
    "empty": (b"", "a mask is a PNG file"),
    "half": (encoded(GREY)[:900], "cut short"),
    "stump": (encoded(GREY)[:20], "cut short"),
    "half_palette": (content(Image.fromarray(GREY).convert("P"))[:900], "cut short"),
    "stump_palette": (content(Image.fromarray(GREY).convert("P"))[:40], "cut short"),
}


@pytest.mark.parametrize("kind", NO_MASKS)
def test_what_holds_no_indices_is_no_mask(tmp_path, kind):
    file, why = NO_MASKS[kind]
    path = write(tmp_path / "m.png", file)
    with pytest.raises(ValueError, match=rf"/m\.png: .*{why}"):
        decoding.read_mask(path)
