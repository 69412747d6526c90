"""Files in a folder of images that cannot be used, or not as they are: each is named."""

import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from salx.data import datasets, decoding, heic
from salx.infra.errors import InputError
from tests.data.files import class_tree, encoded, picture, write


def pool(root, **options):
    return datasets.raw({"name": "folder", "dir": str(root), "labels": "none", **options})


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def dangling(path):
    path.symlink_to(path.parent / "gone")


def itself(path):
    path.symlink_to(path)


def around(path):
    path.with_suffix("").symlink_to(path.parent)


def pipe(path):
    os.mkfifo(path)


def latin(path):
    write(path.parent / os.fsdecode(b"stra\xdfe.png"), picture(9))


def line_break(path):
    write(path.parent / "a\nb.png", picture(9))


FAULTS = [
    (dangling, r"x\.png: a link to .*gone, which is not there"),
    (itself, r"x\.png: cannot be read: Too many levels of symbolic links"),
    (around, r"x: a link to a folder that it lies in"),
    (pipe, r"x\.png: is no file"),
    (latin, r"stra\\xdfe\.png: its name is not UTF-8: rename it"),
    (line_break, r"a\\nb\.png: its name holds a control character: rename it"),
]


@pytest.mark.parametrize(("make", "why"), FAULTS, ids=[make.__name__ for make, _ in FAULTS])
@pytest.mark.parametrize("labels", ["none", "folders"])
def test_what_cannot_be_used_is_refused_by_name_or_left_out(tmp_path, caplog, make, why, labels):
    class_tree(tmp_path, {"cat": 2})
    make(tmp_path / "train" / "cat" / "x.png")
    with pytest.raises(InputError, match=why):
        pool(tmp_path, labels=labels)
    made = pool(tmp_path, labels=labels, on_error="skip")
    assert list(made.pool.keys) == ["train/cat/0.png", "train/cat/1.png"]
    (line,) = messages(caplog)
    assert line.startswith("data set 'folder': 1 files or folders are left out: ")
    assert line.isprintable()


def test_a_name_in_any_script_is_fit(tmp_path):
    names = ["Screenshot 9.00\u202fAM.png", "日本.png", "e\u0301.png", "\u200f.png"]
    for name in names:
        write(tmp_path / name, picture())
    assert sorted(pool(tmp_path).pool.keys) == sorted(names)


@pytest.mark.parametrize(
    "kind",
    [".jpg", ".jpe", ".jfif", ".tif", ".tiff", ".gif", ".avif", ".jp2", ".j2k", ".ppm", ".dib"],
)
def test_a_folder_takes_what_the_decoder_reads(tmp_path, kind):
    encoder = {".jfif": ".jpg", ".dib": ".bmp", ".j2k": ".jp2"}.get(kind, kind)
    flat = np.full((64, 64, 3), (200, 100, 50), np.uint8)
    path = tmp_path / f"a{kind.upper()}"
    if kind == ".gif":  # of which opencv would spread the colours
        Image.fromarray(flat).save(path)
    else:
        write(path, encoded(flat, encoder))
    made = pool(tmp_path)
    assert list(made.pool.keys) == [f"a{kind.upper()}"]
    assert made.image_shape == (64, 64, 3)
    assert np.abs(made.pool[0]["image"].astype(int) - flat).max() < 12


def test_the_keys_of_endings_that_were_always_taken_stay(tmp_path):
    for kind in (".jpg", ".jpeg", ".png", ".bmp", ".webp"):
        write(tmp_path / f"a{kind}", encoded(picture(), kind))
    assert list(pool(tmp_path).pool.keys) == ["a.bmp", "a.jpeg", "a.jpg", "a.png", "a.webp"]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def test_heic_without_its_library_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(heic, "installed", lambda: False)
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    write(tmp_path / "a.HEIC", HEIC)
    write(tmp_path / "b.png", picture())
    with pytest.raises(InputError, match=r"a\.HEIC: 1 of 2 images are HEIC\. .* pip install"):
        pool(tmp_path)
    assert list(pool(tmp_path, on_error="skip").pool.keys) == ["b.png"]
    with pytest.raises(ValueError, match=r"a\.HEIC: HEIC needs pillow-heif: pip install"):
        decoding.read_image(tmp_path / "a.HEIC")


def test_heic_is_read_with_its_library(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    flat = np.full((64, 48, 3), (200, 100, 50), np.uint8)
    image = heif.from_pillow(Image.fromarray(flat))
    image.save(tmp_path / "a.heic", quality=-1)
    made = pool(tmp_path)
    assert made.image_shape == (64, 48, 3)
    assert np.abs(made.pool[0]["image"].astype(int) - flat).max() < 12
    write(tmp_path / "a.heic", (tmp_path / "a.heic").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"a\.heic: cut short"):
        made.pool[0]


def test_tiny_and_deep_images_are_counted_and_named(tmp_path, caplog):
    write(tmp_path / "a.png", picture(size=(1, 1)))
    write(tmp_path / "b.png", picture().astype(np.uint16) * 16)
    write(tmp_path / "c.tif", encoded(picture().astype(np.uint16) * 16, ".tif"))
    write(tmp_path / "d.png", picture())
    pool(tmp_path)
    tiny, deep = messages(caplog)
    assert tiny.startswith("data set 'folder': images one pixel high or wide")
    assert tiny.endswith(": 1 (a.png)")
    assert deep.startswith("data set 'folder': images of 16 bits a channel")
    assert deep.endswith(": 2 (b.png, c.tif)")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(file, *chunks):
    """A PNG with more chunks behind its header."""
    return file[:33] + b"".join(chunks) + file[33:]


def test_large_and_short_metadata_of_a_png_are_no_fault(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 9_000_000, zip=True)
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "PNG", pnginfo=text)
    write(tmp_path / "large.png", file.getvalue())
    for name, kind in enumerate((b"pHYs", b"gAMA", b"cHRM", b"eXIf", b"sRGB")):
        write(tmp_path / f"{name}.png", with_chunk(encoded(picture()), chunk(kind, b"")))
    made = pool(tmp_path)
    assert made.image_shape == (6, 8, 3)
    assert all((made.pool[index]["image"] == picture()).all() for index in range(6))


def test_an_image_that_is_too_large_says_so(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes(5001) * 40_000, 9)
    file = encoded(picture())[:8] + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    write(tmp_path / "a.png", file)
    with pytest.raises(ValueError, match=r"a\.png: too large: it has 40,000 x 40,000 pixels; at"):
        pool(tmp_path).pool[0]


def test_floating_point_numbers_have_no_range(tmp_path):
    for name, kind in (("a", np.float32), ("b", np.float64), ("c", np.int32)):
        write(tmp_path / f"{name}.tif", encoded((picture() / 255).astype(kind), ".tif"))
    source = pool(tmp_path).pool
    for index, what in enumerate(("floating-point numbers", "floating-point", "numbers of 32")):
        with pytest.raises(ValueError, match=rf"\.tif: it holds {what}"):
            source[index]


def damaged_jpeg():
    """A JPEG with wrong bits in its data."""
    whole = bytearray(encoded(picture(size=(64, 64)), ".jpg"))
    middle = len(whole) * 2 // 3
    whole[middle : middle + 40] = b"\xff\x00\x55\xaa" * 10
    return bytes(whole)


def test_damage_inside_a_jpeg_is_told_with_its_name(tmp_path, caplog, capfd):
    write(tmp_path / "a.jpg", damaged_jpeg())
    source = pool(tmp_path).pool
    for _ in range(2):
        assert source[0]["image"].shape == (64, 64, 3)
    (line,) = messages(caplog)
    assert line.startswith(f"{tmp_path}/a.jpg: damaged, and read as far as that goes: ")
    assert "Corrupt JPEG" not in capfd.readouterr().err.replace(line, "")


def test_what_other_c_code_prints_is_passed_on(capfd):
    import ctypes

    cv2.setNumThreads(0)
    decoding.decode(encoded(picture()))
    libc = ctypes.CDLL(None)
    stream = ctypes.c_void_p.in_dll(libc, "stderr")
    libc.fputs(b"a word of another library\n", stream)
    assert capfd.readouterr().err == "a word of another library\n"
