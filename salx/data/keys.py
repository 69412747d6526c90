"""Finding of the keys of a pool that names mean, as people and tools write them.

A key is a file's name below the pool's folder, with "/". Written down, it may have become an
absolute path, one below the current folder, one of another machine, or an address of the tool
that showed the image, percent-encoded. Those of Label Studio are
`/data/local-files/?d=<path>`, `/data/upload/<project>/<8 digits of a hash>-<name>`, and for a
bucket `/tasks/<id>/resolve/?fileuri=<the address in base64>`.

Sources: https://labelstud.io/guide/storage, https://labelstud.io/guide/tasks
"""

import base64
import functools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from salx.infra.paths import fault

ADDRESS = re.compile(
    r"[a-zA-Z][\w+.-]+://|/data/(local-files|upload)/|/tasks/\d+/(resolve|presign)/"
)
UPLOAD = re.compile(r"[0-9a-f]{8}-(.+)")
ABSENT = -1  # where an id stands: no image of the pool


def _is_address(name: str) -> bool:
    """Tell an address of an image from a path."""
    return ADDRESS.match(name) is not None


def spellings(name: str) -> Iterator[str]:
    """List what a name may mean as a path.

    Args:
      name: the name as it is written.

    Yields:
      The name itself; then, each form once, what it was before a person or a tool changed it:
      without spaces around it, out of an address, with "/" for "\\", percent-decoded, and in
      Unicode's other normal forms.
    """
    plain = name.strip().strip("\ufeff").strip()
    if _is_address(plain):
        plain = _of_address(plain)
    if plain.startswith("~/"):
        plain = os.path.expanduser(plain)
    slashed = plain.replace("\\", "/")
    decoded = unquote(slashed)
    forms = [name, plain, slashed, decoded]
    if not name.isascii() or not decoded.isascii():
        forms += [unicodedata.normalize(form, decoded) for form in ("NFC", "NFD")]
    yield from dict.fromkeys(forms)


def below(root: Path, name: str, resolve: Callable[[str], str] = os.path.realpath) -> str | None:
    """Find a file's name below a folder, which may be given as a link to it.

    Args:
      root: the folder.
      name: the file's absolute path, or its path from the folder; it need not be there.
      resolve: (path) -> the path without links.

    Returns:
      The name with single "/", or None for a file that lies elsewhere.
    """
    path = PurePosixPath(name)
    plain = ".." not in path.parts
    if not path.is_absolute() and plain:
        return str(path)
    top = os.path.abspath(root)
    whole = os.path.join(top, name)
    if plain and (inner := _after(top, str(PurePosixPath(whole)))):
        return inner
    # The folder of the file is resolved, and the file itself is not: its name is its key.
    folder, base = os.path.split(whole)
    inner = _after(resolve(top), os.path.join(resolve(folder), base))
    return None if base in ("", ".", "..") else inner


def _after(top: str, whole: str) -> str | None:
    """Cut a folder off the start of a path; None where the path does not begin with it."""
    start = top.rstrip("/") + "/"
    return whole[len(start) :] or None if whole.startswith(start) else None


class Match(NamedTuple):
    """Hold what the names of one source mean.

    Attributes:
      ids: the id of each name's image, or ABSENT.
      start: what was cut off the addresses and the paths of other machines; "" for nothing.
    """

    ids: list[int]
    start: str


@dataclass(frozen=True)
class Keys:
    """Look up names among the keys of a pool.

    Attributes:
      keys: the keys, by id.
      root: the folder that they start from; None for a data set without files.
    """

    keys: Sequence[str]
    root: Path | None

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """Index the ids by key."""
        return {key: number for number, key in enumerate(self.keys)}

    def match(self, names: Sequence[str], folder: Path | None = None) -> Match:
        """Find the images that the names of one source mean.

        A name that is no path of this machine, but an address or a path through a folder of the
        pool's name, is cut into a start and a key. The start that is cut off is the same for all
        such names of the source. A name that is still not found, of an image that was uploaded
        to Label Studio, is matched by its file's name alone.

        Args:
          names: the names as they are written.
          folder: the folder of the file that they stand in; None where they stand in none.

        Returns:
          An id for each name, and the common start.
        """
        ids = [self.find(name, folder) for name in names]
        rest = [number for number, id_ in enumerate(ids) if id_ == ABSENT]
        ends = {number: dict(self._ends(names[number])) for number in rest}
        votes = Counter(start for each in ends.values() for start in each)
        chosen = ""
        if votes:
            chosen = max(votes, key=lambda start: (self._is_root(start), votes[start], -len(start)))
            for number in rest:
                ids[number] = ends[number].get(chosen, ABSENT)
        for number in rest:
            if ids[number] == ABSENT:
                ids[number] = self._uploaded(names[number])
        return Match(ids, chosen)

    def find(self, name: str, folder: Path | None = None) -> int:
        """Find the image that a name means by itself: a key, or a path of this machine.

        Args:
          name: the name as it is written.
          folder: the folder of the file that it stands in; None where it stands in none.

        Returns:
          The image's id, or ABSENT.
        """
        if name in self.ids:
            return self.ids[name]
        for form in spellings(name):
            for key in () if fault(form) else self._paths(form, folder):
                if key in self.ids:
                    return self.ids[key]
        return ABSENT

    def by_file_name(self, name: str) -> int:
        """Find the one image whose file has a name, in whatever folder it lies.

        Args:
          name: the file's name; some of its signs may be replaced by "_" or left out, as tools do.

        Returns:
          The image's id; ABSENT where no image, or more than one, has that name.
        """
        return self._by_file_name.get(_bare(name), ABSENT)

    def _uploaded(self, name: str) -> int:
        """Find the image that was uploaded to Label Studio under a name."""
        *folders, file = [*spellings(name)][-1].split("/")
        upload = UPLOAD.fullmatch(file)
        if not upload or (folders and folders[-2:-1] != ["upload"]):
            return ABSENT
        return self.by_file_name(upload[1])

    def _paths(self, form: str, folder: Path | None) -> Iterator[str]:
        """List the keys that a path can be: from the pool's folder, the current one, the file's."""
        yield form
        if self.root is None:
            yield str(PurePosixPath(form))
            return
        starts = [""] if os.path.isabs(form) else ["", os.getcwd(), *([folder] if folder else [])]
        for start in starts:
            key = below(self.root, os.path.join(start, form), self._resolve)
            if key is not None:
                yield key

    def _ends(self, name: str) -> Iterator[tuple[str, int]]:
        """Cut an address or a foreign path into a start and a key; give every (start, id)."""
        address = _is_address(name.strip())
        for form in spellings(name):
            # A path that is there, and was not found below the pool, is another image.
            if fault(form) or (address and form == name) or os.path.lexists(form):
                continue
            parts = form.split("/")
            for cut in range(1, len(parts)):
                start, key = "/".join(parts[:cut]), "/".join(parts[cut:])
                if key in self.ids and (address or self._is_root(start)):
                    yield start, self.ids[key]

    def _is_root(self, start: str) -> bool:
        """Tell whether a path ends in a folder of the pool's name."""
        return start.rpartition("/")[2] in self._root_names

    @functools.cached_property
    def _root_names(self) -> frozenset[str]:
        """Name the pool's folder, as it is given and as its links lead to it."""
        if self.root is None:
            return frozenset()
        root = os.path.abspath(self.root)
        return frozenset({os.path.basename(root), os.path.basename(os.path.realpath(root))} - {""})

    @functools.cached_property
    def _by_file_name(self) -> dict[str, int]:
        """Index the ids by the bare names of files; ABSENT for a name of several."""
        ids: dict[str, int] = {}
        for number, key in enumerate(self.keys):
            name = _bare(key.rpartition("/")[2])
            ids[name] = ABSENT if name in ids else number
        return ids

    @functools.cached_property
    def _resolve(self) -> Callable[[str], str]:
        """Resolve links as os.path.realpath does, each folder only one time."""
        return functools.cache(os.path.realpath)


def _bare(name: str) -> str:
    """Strip a file's name of the signs that tools replace or leave out."""
    return re.sub(r"[^\w.-]|_", "", unicodedata.normalize("NFC", name))


def _of_address(address: str) -> str:
    """Decode the path that an address stands for, with its host but for a `file://`."""
    _, local, path = address.partition("/data/local-files/?d=")
    if local:
        return unquote(path)
    try:
        parts = urlsplit(address)
        if said := parse_qs(parts.query).get("fileuri"):
            return _of_address(base64.urlsafe_b64decode(said[0] + "==").decode())
    except ValueError:  # brackets that are no host, or what is no base64
        return address
    return unquote(parts.path if parts.scheme == "file" else parts.netloc + parts.path)
