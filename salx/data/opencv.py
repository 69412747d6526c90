"""OpenCV's settings for this process, made when pixels are first read and not at import."""

import atexit
import contextlib
import ctypes
import functools
import os
import threading

import cv2
import numpy as np
from jaxtyping import Shaped

UNBUFFERED, BY_CALLER = 2, 2  # of setvbuf, and of __fsetlocking: a stream that locks nothing
PIECE = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class _Functions(ctypes.Structure):
    """Hold the functions of which glibc's fopencookie makes a stream."""

    _fields_ = (
        ("read", ctypes.c_void_p),
        ("write", PIECE),
        ("seek", ctypes.c_void_p),
        ("close", ctypes.c_void_p),
    )


class _Heard(threading.local):
    """Hold what this thread's decoder has printed so far; None while nothing is decoded."""

    words: bytes | None = None


heard = _Heard()


@functools.cache
def prepare() -> None:
    """Make OpenCV use one thread and print nothing; every call but the first does nothing.

    Readers work side by side already, on an example each, and what fails is raised with the
    file's name.
    """
    cv2.setNumThreads(0)
    cv2.utils.logging.setLogLevel(0)
    with contextlib.suppress(AttributeError, ValueError):  # of a C library that is not glibc
        _listen()


def decode(content: bytes, flags: int) -> tuple[Shaped[np.ndarray, "height width ..."] | None, str]:
    """Decode an image file.

    Args:
      content: the whole file.
      flags: OpenCV's cv2.IMREAD_ flags, which decide channels and dtype.

    Returns:
      The image, None where it cannot be decoded; and the decoder's warnings, "" for none.
    """
    prepare()
    heard.words = b""
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        image = None
    finally:
        words, heard.words = heard.words, None
    return image, " ".join(words.decode(errors="replace").split())


def _listen() -> None:
    """Catch what libjpeg and its like print while this process decodes.

    They know no file's name, and nothing else than C's `stderr` to print to. So that becomes a
    stream of ours: it keeps what a thread prints while it decodes, and passes on all else.
    """
    libc = ctypes.CDLL(None)
    current = ctypes.c_void_p.in_dll(libc, "stderr")
    libc.fopencookie.restype = ctypes.c_void_p
    libc.fopencookie.argtypes = (ctypes.c_void_p, ctypes.c_char_p, _Functions)
    stream = libc.fopencookie(None, b"w", FUNCTIONS)
    if not stream:
        return
    libc.setvbuf(ctypes.c_void_p(stream), None, UNBUFFERED, ctypes.c_size_t(0))
    libc.__fsetlocking(ctypes.c_void_p(stream), BY_CALLER)
    before, current.value = current.value, stream

    def restore() -> None:
        current.value = before

    atexit.register(restore)  # what is printed later finds no Python any more


@PIECE
def _print(_: int, start: int, size: int) -> int:
    """Take a piece of what C code prints."""
    text = ctypes.string_at(start, size)
    if heard.words is None:
        with contextlib.suppress(OSError):
            os.write(2, text)
    else:
        heard.words += text
    return size


FUNCTIONS = _Functions(None, _print, None, None)
