"""Checkpoints in PyTorch's two formats, written without PyTorch."""

import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np

KINDS = {
    **{"float64": "Double", "float32": "Float", "float16": "Half", "bfloat16": "BFloat16"},
    **{"int64": "Long", "int32": "Int", "int8": "Char", "uint8": "Byte", "bool": "Bool"},
    **{"complex64": "ComplexFloat"},
}
MAGIC = 0x1950A86A20F9469CFC6C


class Parameter:
    """An array that is saved as a parameter, with its gradient's hooks."""

    def __init__(self, array):
        self.array = array


class View:
    """A tensor of a shape and strides over an array's numbers, whether it has so many or not."""

    def __init__(self, array, shape, strides, offset=0):
        self.array, self.shape, self.strides, self.offset = array, shape, strides, offset


class Quantised:
    """An array of int8 that is saved as a quantised tensor."""

    def __init__(self, array):
        self.array = array


class Module:
    """A module that is saved whole; `state` is its attributes."""

    def __init__(self, parameters=None, buffers=None, **children):
        self._parameters = OrderedDict(parameters or {})
        self._buffers = OrderedDict(buffers or {})
        self._modules = OrderedDict(children)
        self.training = True


class _Storage:
    def __init__(self, kind, array):
        self.kind, self.array = kind, array


def _function(module: types.ModuleType, name: str) -> Any:
    def function(*_):
        raise AssertionError("a checkpoint is never run")

    function.__module__, function.__qualname__, function.__name__ = module.__name__, name, name
    setattr(module, name, function)
    return function


@contextlib.contextmanager
def _torch():
    """Modules that have the names of PyTorch's for as long as something is saved."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch._utils = utils
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_qtensor"):
        _function(utils, name)
    for kind in [*KINDS.values(), "QInt8"]:
        name = f"{kind}Storage"
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        yield torch
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module:
                sys.modules[name] = module


class _Pickler(pickle.Pickler):
    def __init__(self, file, torch, storages, stream):
        super().__init__(file, 2)
        self.torch, self.storages, self.stream = torch, storages, stream

    def persistent_id(self, obj):
        if not isinstance(obj, _Storage):
            return None
        key = str(len(self.storages))
        self.storages[key] = obj.array
        kind = getattr(self.torch, f"{obj.kind}Storage")
        pid = ("storage", kind, key, "cpu", obj.array.size)
        return (*pid, None) if self.stream else pid

    def reducer_override(self, obj):
        utils = self.torch._utils
        if isinstance(obj, Parameter):
            return utils._rebuild_parameter, (obj.array, True, OrderedDict())
        if isinstance(obj, Quantised):
            storage, strides = _Storage("QInt8", obj.array.ravel()), _strides(obj.array)
            more = (("per_tensor_affine", 0.1, 0), False, OrderedDict())
            return utils._rebuild_qtensor, (storage, 0, obj.array.shape, strides, *more)
        if isinstance(obj, np.ndarray):
            flat = obj.ravel(order="K")
            obj = View(flat, obj.shape, _strides(obj))
        if isinstance(obj, View):
            storage = _Storage(KINDS[obj.array.dtype.name], obj.array)
            where = (storage, obj.offset, tuple(obj.shape), tuple(obj.strides))
            return utils._rebuild_tensor_v2, (*where, False, OrderedDict())
        return NotImplemented


def _strides(array):
    return tuple(stride // array.itemsize for stride in array.strides)


def save(path, tree, stream=False):
    """Write what `torch.save(tree, path)` would: a zip archive, or a stream as before 1.6."""
    storages, packed = {}, io.BytesIO()
    with _torch() as torch:
        _Pickler(packed, torch, storages, stream).dump(tree)
    if stream:
        system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
        heads = [pickle.dumps(each, 2) for each in (MAGIC, 1001, system)]
        parts = [*heads, packed.getvalue(), pickle.dumps(list(storages), 2)]
        for array in storages.values():
            parts += [struct.pack("<q", array.size), array.tobytes()]
        path.write_bytes(b"".join(parts))
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", packed.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")
    return path
