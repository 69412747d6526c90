"""Image files as cameras, tools and accidents leave them, among good ones."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.data.files import encoded
from tests.fuzz import odd
from tests.fuzz.case import ANY, FAILED, GOOD, Case, Ground, select
from tests.fuzz.materials import BRIGHT

Made = Callable[[], bytes]


def _saved(mode: str, kind: str, size: tuple[int, int] = (8, 8), **more: object) -> bytes:
    """A picture of some colours, as Pillow writes it."""
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 4), np.uint8)
    image = Image.fromarray(pixels[..., :3])
    content = io.BytesIO()
    image.convert(mode).save(content, kind, **more)
    return content.getvalue()


def _png(
    width: int, height: int, bits: int = 8, colour: int = 2, data: bytes = b"\0" * 30
) -> bytes:
    """A PNG that claims a size, bits and a colour type, with checksums that hold."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    )


def _text_chunk(size: int) -> bytes:
    note = PngInfo()
    note.add_text("note", "a" * size, zip=True)
    return _saved("RGB", "PNG", pnginfo=note)


def _turned(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return _saved("RGB", "JPEG", (8, 6), exif=exif)


def _frames(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(3)]
    content = io.BytesIO()
    frames[0].save(content, kind, save_all=True, append_images=frames[1:])
    return content.getvalue()


def _claimed(content: bytes, marker: bytes, at: int, sizes: bytes) -> bytes:
    """A file whose header claims other sizes, so many bytes after a marker."""
    index = content.index(marker) + at
    return content[:index] + sizes + content[index + len(sizes) :]


# Files that any viewer shows.
SOUND: dict[str, tuple[str, Made]] = {
    "a grey PNG": ("x.png", lambda: _saved("L", "PNG")),
    "a PNG of 1 bit": ("x.png", lambda: _saved("1", "PNG")),
    "a PNG with a palette": ("x.png", lambda: _saved("P", "PNG")),
    "a PNG with alpha": ("x.png", lambda: _saved("RGBA", "PNG")),
    "a PNG of 16 bits": ("x.png", lambda: encoded(np.full((8, 8), 3000, np.uint16))),
    "a PNG of 1x1": ("x.png", lambda: _saved("RGB", "PNG", (1, 1))),
    "a PNG of 1x300": ("x.png", lambda: _saved("RGB", "PNG", (1, 300))),
    "a PNG with a text": ("x.png", lambda: _text_chunk(100)),
    "a PNG with a large text": ("x.png", lambda: _text_chunk(3_000_000)),
    "an interlaced PNG": ("x.png", lambda: encoded(np.zeros((8, 8, 3), np.uint8))),
    "an animated PNG": ("x.png", lambda: _frames("PNG")),
    "a JPEG of CMYK": ("x.jpg", lambda: _saved("CMYK", "JPEG")),
    "a grey JPEG": ("x.jpg", lambda: _saved("L", "JPEG")),
    "a progressive JPEG": ("x.jpeg", lambda: _saved("RGB", "JPEG", progressive=True)),
    "a JPEG named PNG": ("x.png", lambda: _saved("RGB", "JPEG")),
    "a JPEG in capitals": ("X.JPG", lambda: _saved("RGB", "JPEG")),
    "a BMP": ("x.bmp", lambda: _saved("RGB", "BMP")),
    "a WebP": ("x.webp", lambda: _saved("RGB", "WEBP")),
    "a turned JPEG": ("x.jpg", lambda: _turned(6)),
    "a mirrored JPEG": ("x.jpg", lambda: _turned(2)),
    "a JPEG of no orientation": ("x.jpg", lambda: _turned(9)),
}
# What a decoder may take or not; it has to say so in one line, or leave it out.
DOUBTFUL: dict[str, tuple[str, Made]] = {
    "a GIF": ("x.gif", lambda: _saved("P", "GIF")),
    "an animated GIF": ("x.gif", lambda: _frames("GIF")),
    "an animated WebP": ("x.webp", lambda: _frames("WEBP")),
    "a TIFF": ("x.tif", lambda: _saved("RGB", "TIFF")),
    "a TIFF of floats": ("x.tif", lambda: _saved("F", "TIFF")),
    "a TIFF of several pages": ("x.tiff", lambda: _frames("TIFF")),
    "a TIFF of 16 bits": ("x.tiff", lambda: _saved("I;16", "TIFF")),
    "a float TIFF named PNG": ("x.png", lambda: _saved("F", "TIFF")),
    "a JPEG 2000": ("x.jp2", lambda: _saved("RGB", "JPEG2000")),
    "an icon": ("x.ico", lambda: _saved("RGB", "ICO")),
    "a PPM": ("x.ppm", lambda: _saved("RGB", "PPM")),
    "a TGA named PNG": ("x.png", lambda: _saved("RGB", "TGA")),
    "a JFIF": ("x.jfif", lambda: _saved("RGB", "JPEG")),
    "an SVG": ("x.svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "a PDF named PNG": ("x.png", lambda: b"%PDF-1.4\n%%EOF\n"),
    "a film named JPEG": ("x.jpg", lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
    "a HEIC": ("x.heic", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    "a GIF named PNG": ("x.png", lambda: _saved("P", "GIF")),
    "a PNG of 20000x1": ("x.png", lambda: _saved("RGB", "PNG", (20_000, 1))),
    "a PNG of 16 bits, of which 12": (
        "x.png",
        lambda: encoded(np.full((8, 8, 3), 4095, np.uint16)),
    ),
}
# What no decoder can take.
BROKEN: dict[str, tuple[str, Made]] = {
    "a PNG of 10^5 x 10^5": ("x.png", lambda: _png(10**5, 10**5)),
    "a PNG of 2^31 - 1": ("x.png", lambda: _png(2**31 - 1, 2**31 - 1)),
    "a PNG of 0 x 0": ("x.png", lambda: _png(0, 0)),
    "a PNG of no bits": ("x.png", lambda: _png(8, 8, bits=0)),
    "a PNG of no colour type": ("x.png", lambda: _png(8, 8, colour=5)),
    "a bomb": ("x.png", lambda: _png(40_000, 40_000, 8, 0, bytes(40_001 * 200))),
    "a JPEG of 65535 x 65535": (
        "x.jpg",
        lambda: _claimed(_saved("RGB", "JPEG"), b"\xff\xc0", 5, b"\xff\xff\xff\xff"),
    ),
    "a JPEG of 0 x 0": ("x.jpg", lambda: _claimed(_saved("RGB", "JPEG"), b"\xff\xc0", 5, bytes(4))),
    "a BMP of 2^31": (
        "x.bmp",
        lambda: _claimed(_saved("RGB", "BMP"), b"BM", 18, b"\xff\xff\xff\x7f" * 2),
    ),
    "a BMP of negative size": (
        "x.bmp",
        lambda: _claimed(_saved("RGB", "BMP"), b"BM", 18, b"\xff" * 8),
    ),
    "a WebP of noise": ("x.webp", lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(30)),
    "half a JPEG": ("x.jpg", lambda: _saved("RGB", "JPEG", (64, 64))[:900]),
    "the head of a JPEG": ("x.jpg", lambda: _saved("RGB", "JPEG")[:20]),
    "half a PNG": ("x.png", lambda: _saved("RGB", "PNG", (64, 64))[:5000]),
    "a PNG cut in a chunk": ("x.png", lambda: _saved("RGB", "PNG")[:40]),
    "no bytes": ("x.png", bytes),
    "a pointer": ("x.jpg", odd.POINTER.encode),
    "a web page": ("x.png", odd.PAGE.encode),
    "text": ("x.jpeg", lambda: b"no picture\n"),
}
NAMES = (
    *(
        b"\xff\xfe.png",
        b"a\nb.png",
        b"a\tb.png",
        b"a,b.png",
        b'a"b.png',
        b" .png",
        b"-x.png",
        b"..png",
    ),
    *("\u2028.png".encode(), "\u202egnp.exe.png".encode(), "😀.png".encode(), b"x" * 251 + b".png"),
    *(
        b"%s.png",
        b"{name}.png",
        b"<b>.png",
        b"a\\b.png",
        b"\x1b[31m.png",
        b"$(id).png",
        b"x.png.png",
    ),
)


def make(ground: Ground) -> Case:
    """A selection from good pictures and an odd one."""
    ground.pool()
    kinds = (_sound, _doubtful, _broken, _broken, _damaged, _damaged, _named, _no_image)
    return ground.rng.choice(kinds)(ground)


def _words(ground: Ground, skip: bool, outputs: bool = True) -> tuple[str, ...]:
    rng = ground.rng
    words = [f"--surrogate={BRIGHT}", "--policy=entropy", "--budget=3"]
    words += ["--on_error=skip"] if skip else []
    if outputs and rng.random() < 0.3:
        words.append(rng.choice(("--sheet=s.html", "--sheet=s.png", "--copy=c", "--csv=x.csv")))
    return select(*words)


def _sound(ground: Ground) -> Case:
    kind = ground.rng.choice([*SOUND])
    name, made = SOUND[kind]
    ground.write(f"pool/{name}", made())
    return Case(_words(ground, False), f"image: {kind}", GOOD)


def _doubtful(ground: Ground) -> Case:
    kind = ground.rng.choice([*DOUBTFUL])
    name, made = DOUBTFUL[kind]
    ground.write(f"pool/{name}", made())
    skip = ground.rng.random() < 0.25
    return Case(_words(ground, skip), f"image: {kind}", GOOD if skip else ANY, leaves=True)


def _broken(ground: Ground) -> Case:
    kind = ground.rng.choice([*BROKEN])
    name, made = BROKEN[kind]
    ground.write(f"pool/{name}", made())
    skip = ground.rng.random() < 0.25
    return Case(_words(ground, skip), f"image: {kind}", GOOD if skip else FAILED)


def _damaged(ground: Ground) -> Case:
    kind = ground.rng.choice([*SOUND])
    name, made = SOUND[kind]
    how, content = odd.spoiled(ground.rng, made())
    ground.write(f"pool/{name}", content)
    skip = ground.rng.random() < 0.25
    return Case(_words(ground, skip), f"image: {kind} {how}", GOOD if skip else ANY)


def _named(ground: Ground) -> Case:
    """A sound picture of an odd name, of which some may be refused."""
    name = ground.rng.choice(NAMES)
    path = os.fsencode(ground.cwd / "pool") + b"/" + name
    with open(path, "wb") as file:
        file.write(ground.materials.pictures[5])
    plain = name.decode("utf-8", "replace")
    codes = GOOD if plain.isprintable() and "\ufffd" not in plain else ANY
    case = Case(_words(ground, False), f"an image's name: {name[:20]!r}", codes)
    encoding = ground.rng.choice(("utf-8", "utf-8", "utf-8", "ascii"))
    return case if encoding == "utf-8" else replace(case, alone=True, encoding=encoding)


def _no_image(ground: Ground) -> Case:
    """What is no file under an image's name."""
    kind, may_block = odd.put(ground, "pool/x.png")
    skip = ground.rng.random() < 0.25
    return Case(_words(ground, skip), f"image: {kind}", GOOD if skip else ANY, alone=may_block)
