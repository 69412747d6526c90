"""Files of weights: lying headers, pickles, odd arrays, and other people's wrappings."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from safetensors.numpy import save

from tests.fuzz import odd
from tests.fuzz.case import ANY, FAILED, GOOD, REFUSED, Case, Ground, select

MARK = "executed"  # the file that a pickle would make, below the folder where the command runs
Arrays = dict[str, Any]


class Malicious:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple:
        return os.mkdir, (MARK,)


def _tensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A .safetensors file with a header as it is given, and a length that may lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _one(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict:
    return {"conv1.weight": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


LYING: dict[str, Callable[[], bytes]] = {
    "a length beyond the file": lambda: _tensors(_one(), bytes(8), 10**6),
    "a length of 2^63": lambda: _tensors(_one(), bytes(8), 2**63),
    "a length of 0": lambda: _tensors(b"", b"", 0),
    "a header that is no JSON": lambda: _tensors(b"nope"),
    "a header that is a list": lambda: _tensors([1, 2]),
    "a header of NaN": lambda: _tensors(b"NaN"),
    "a header without end": lambda: _tensors(b'{"a":' * 20_000),
    "no arrays": lambda: _tensors({}),
    "offsets beyond the file": lambda: _tensors(_one(offsets=(0, 10**9))),
    "offsets backwards": lambda: _tensors(_one(offsets=(8, 0)), bytes(8)),
    "negative offsets": lambda: _tensors(_one(offsets=(-8, 0)), bytes(8)),
    "offsets of text": lambda: _tensors(_one(offsets=("0", "8")), bytes(8)),
    "a shape of 10^15": lambda: _tensors(_one(shape=(10**15,)), bytes(8)),
    "a shape beyond 2^64": lambda: _tensors(_one(shape=(2**40, 2**40)), bytes(8)),
    "a negative shape": lambda: _tensors(_one(shape=(-2,)), bytes(8)),
    "a shape of text": lambda: _tensors(_one(shape="2"), bytes(8)),
    "no such type": lambda: _tensors(_one(dtype="F31"), bytes(8)),
    "a type that is a number": lambda: _tensors(_one(dtype=3), bytes(8)),
    "8-bit floats": lambda: _tensors(_one("F8_E4M3", (8,)), bytes(8)),
    "booleans": lambda: _tensors(_one("BOOL", (8,)), bytes(8)),
    "no fields": lambda: _tensors({"conv1.weight": {}}),
    "metadata that is a number": lambda: _tensors({"__metadata__": 3, **_one()}, bytes(8)),
    "a name without letters": lambda: _tensors({"": _one()["conv1.weight"]}, bytes(8)),
    "a name with a NUL": lambda: _tensors({"a\0b": _one()["conv1.weight"]}, bytes(8)),
    "half a pair in a name": lambda: _tensors(
        b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)
    ),
    "a name of line breaks": lambda: _tensors({"a\n" * 50: _one()["conv1.weight"]}, bytes(8)),
    "10^4 names": lambda: save({f"x{number}": np.zeros(1) for number in range(10**4)}),
    "names of a detector": lambda: save(
        {f"model.{n}.conv.weight": np.zeros((2, 2, 1, 1), np.float32) for n in range(24)}
    ),
}


def _packed(arrays: Arrays, **more: Any) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays, **more)
    return content.getvalue()


def _zipped(*files: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return content.getvalue()


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def _npy_of(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


ARCHIVES: dict[str, Callable[[Arrays], bytes]] = {
    "a pickle in an array": lambda arrays: _packed(arrays, x=np.array([Malicious()], object)),
    "only a pickle": lambda arrays: pickle.dumps(Malicious()),
    "a pickle in the archive": lambda arrays: _zipped(("x.npy", pickle.dumps(Malicious()))),
    "a pickle that is no array": lambda arrays: _zipped(
        ("conv1.weight.pkl", pickle.dumps(Malicious()))
    ),
    "objects": lambda arrays: _packed({"conv1.weight": np.array([None, "a"], object)}),
    "text": lambda arrays: _packed({**arrays, "note": np.array("hello")}),
    "dates": lambda arrays: _packed({**arrays, "linear.bias": np.array(["2026-01-01"], "M8[D]")}),
    "records": lambda arrays: _packed({"linear.bias": np.zeros(3, [("a", "f4")])}),
    "complex numbers": lambda arrays: _packed({**arrays, "linear.bias": np.zeros(3, np.complex64)}),
    "whole numbers": lambda arrays: _packed(
        {n: (a * 9).astype(np.int8) for n, a in arrays.items()}
    ),
    "booleans": lambda arrays: _packed({n: a > 0 for n, a in arrays.items()}),
    "arrays without axes": lambda arrays: _packed({n: a.reshape(-1)[0] for n, a in arrays.items()}),
    "a bias without axes": lambda arrays: _packed({**arrays, "linear.bias": np.float32(3)}),
    "a bias of two axes": lambda arrays: _packed(
        {**arrays, "linear.bias": np.zeros((3, 1), np.float32)}
    ),
    "an empty bias": lambda arrays: _packed({**arrays, "linear.bias": np.zeros(0, np.float32)}),
    "an empty kernel": lambda arrays: _packed({**arrays, "conv1.weight": np.zeros((0, 3, 3, 3))}),
    "a kernel of other axes": lambda arrays: _packed({**arrays, "conv1.weight": np.zeros(3)}),
    "10^5 classes": lambda arrays: _packed({**arrays, "linear.bias": np.zeros(10**5, np.float32)}),
    "NaN": lambda arrays: _packed({**arrays, "linear.bias": np.full(3, np.nan, np.float32)}),
    "infinity in halves": lambda arrays: _packed(
        {n: np.full_like(a, np.inf).astype(np.float16) for n, a in arrays.items()}
    ),
    "doubles beyond floats": lambda arrays: _packed({**arrays, "linear.bias": np.full(3, 1e300)}),
    "a name twice": lambda arrays: _zipped(
        ("linear.bias.npy", _npy_of(np.zeros(3))), ("linear.bias.npy", _npy_of(np.ones(3)))
    ),
    "a name that leaves the folder": lambda arrays: _zipped(("../../x.npy", _npy_of(np.zeros(3)))),
    "files that are no arrays": lambda arrays: _zipped(("README.md", b"# hello\n")),
    "an empty archive": lambda arrays: _zipped(),
    "an array that claims 10^15": lambda arrays: _zipped(
        ("a.npy", _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }"))
    ),
    "an array of a negative shape": lambda arrays: _zipped(
        ("a.npy", _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", bytes(12)))
    ),
    "a header that is code": lambda arrays: _zipped(
        ("a.npy", _npy(f"{{'descr': '<f4', 'shape': __import__('os').mkdir('{MARK}')}}"))
    ),
    "a lone array": lambda arrays: _npy_of(np.zeros(3)),
    "a header of an unknown version": lambda arrays: _zipped(
        ("a.npy", b"\x93NUMPY\x09\x00" + bytes(40))
    ),
}


def _renamed(arrays: Arrays, prefix: str) -> Arrays:
    return {prefix + name: array for name, array in arrays.items()}


WRAPPED: dict[str, Callable[[Arrays], Arrays]] = {
    "one array less": lambda arrays: dict([*arrays.items()][1:]),
    "one array more": lambda arrays: {**arrays, "nope.weight": np.zeros(3, np.float32)},
    "other names": lambda arrays: _renamed(arrays, "nobody."),
    "only the last layer": lambda arrays: {n: a for n, a in arrays.items() if "linear" in n},
    "no last layer": lambda arrays: {n: a for n, a in arrays.items() if "linear" not in n},
    "transposed": lambda arrays: {n: a.T for n, a in arrays.items()},
    "both names": lambda arrays: {**arrays, "params/Dense_0/kernel": np.zeros((64, 3), np.float32)},
    "one twice as wide": lambda arrays: {
        **arrays,
        "conv1.weight": np.zeros((32, 3, 3, 3), np.float32),
    },
    "names in capitals": lambda arrays: {n.upper(): a for n, a in arrays.items()},
}
# The same network as tools save it: whether a prefix is understood or refused, it is one line.
PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "module.model.", "_orig_mod.module.")


def make(ground: Ground) -> Case:
    """A conversion of a file of weights, or a selection by it."""
    ground.pool()
    kinds = (
        _lying,
        _lying,
        _archive,
        _archive,
        _wrapped,
        _damaged,
        _damaged,
        _torch,
        _no_file,
        _fine,
    )
    return ground.rng.choice(kinds)(ground)


def _case(
    ground: Ground, name: str, about: str, codes: frozenset[int] = REFUSED, alone: bool = False
) -> Case:
    if ground.rng.random() < 0.5:
        words: tuple[str, ...] = ("convert", name, "converted.npz")
    else:
        words = select(f"--surrogate={name}", "--size=8,8", "--batch=4", policy="entropy")
    return Case(words, f"weights: {about}", codes, alone, absent=(f"work/run/{MARK}",))


def _fine(ground: Ground) -> Case:
    arrays = ground.materials.arrays
    kind = ground.rng.choice(
        ("safetensors", "npz", "halves", "doubles", "Fortran's order", *PREFIXES)
    )
    if kind in PREFIXES:
        arrays = _renamed(arrays, kind)
    elif kind in ("halves", "doubles"):
        arrays = {n: a.astype(np.float16 if kind == "halves" else float) for n, a in arrays.items()}
    elif kind == "Fortran's order":
        arrays = {n: np.asfortranarray(a) for n, a in arrays.items()}
    packs = kind in ("npz", "Fortran's order")
    name = "net.npz" if packs else "net.safetensors"
    ground.write(name, _packed(arrays) if packs else save(arrays))
    return _case(ground, name, f"good, {kind}", GOOD)


def _lying(ground: Ground) -> Case:
    kind = ground.rng.choice([*LYING])
    ground.write("net.safetensors", LYING[kind]())
    return _case(ground, "net.safetensors", kind)


def _archive(ground: Ground) -> Case:
    kind = ground.rng.choice([*ARCHIVES])
    ground.write("net.npz", ARCHIVES[kind](ground.materials.arrays))
    return _case(ground, "net.npz", kind, ANY if kind in DOUBTFUL else REFUSED)


# Weights that a conversion may rename without use of their values.
DOUBTFUL = (
    *("whole numbers", "booleans", "NaN", "infinity in halves", "doubles beyond floats", "text"),
    *("dates", "complex numbers", "10^5 classes", "an empty bias", "a pickle that is no array"),
    *("a bias of two axes", "an empty kernel"),
)


def _wrapped(ground: Ground) -> Case:
    kind = ground.rng.choice([*WRAPPED])
    ground.write("net.npz", _packed(WRAPPED[kind](ground.materials.arrays)))
    return _case(ground, "net.npz", kind, ANY)


def _damaged(ground: Ground) -> Case:
    arrays = ground.materials.arrays
    name = ground.rng.choice(("net.safetensors", "net.npz"))
    content = save(arrays) if name == "net.safetensors" else _packed(arrays)
    kind, spoiled = odd.spoiled(ground.rng, content)
    ground.write(name, spoiled)
    return _case(ground, name, f"{name} {kind}", ANY)


def _torch(ground: Ground) -> Case:
    """Files of PyTorch's, some of which would run code if they were unpickled."""
    rng = ground.rng
    kind = rng.choice(
        ("malicious", "malicious, zipped", "a dict", "a pointer", "a page", "noise", "no bytes")
    )
    contents = {
        "malicious": pickle.dumps(Malicious()),
        "malicious, zipped": _zipped(
            ("archive/data.pkl", pickle.dumps(Malicious())), ("archive/version", b"3\n")
        ),
        "a dict": pickle.dumps({"state_dict": {"conv1.weight": [1, 2]}}),
        "a pointer": odd.POINTER.encode(),
        "a page": odd.PAGE.encode(),
        "noise": rng.randbytes(400),
        "no bytes": b"",
    }
    name = f"net{rng.choice(('.pth', '.pt', '.th', '.ckpt', '.bin', ''))}"
    ground.write(name, contents[kind])
    return _case(ground, name, f"{kind} as {name}")


def _no_file(ground: Ground) -> Case:
    name = ground.rng.choice(("net.safetensors", "net.npz", "net.pth"))
    kind, may_block = odd.put(ground, name)
    return _case(ground, name, f"{kind} as {name}", FAILED, may_block)
