"""Things by name: registered, from an entry point, and as module:Name."""

import hashlib
import sys
import textwrap

import pytest

from salx.infra.errors import ArgumentError, InputError
from salx.infra.registry import Registry

GROUP = "salx.test_things"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on sys.path, whose modules are forgotten after the test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("salx"):
            del sys.modules[name]


def install(folder, points: str, name: str = "foreign-things", version: str = "1.2") -> None:
    """Writes what installing a package with entry points leaves in a folder of sys.path."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{textwrap.dedent(points)}")


def test_builtin_modules_are_imported_when_first_asked(folder):
    (folder / "family.py").write_text("from registry_of_test import things\nthings.add('a', 1)\n")
    things = Registry("thing", GROUP, ["family"])
    sys.modules["registry_of_test"] = type("Module", (), {"things": things})
    assert "family" not in sys.modules
    assert things.get("a") == 1
    assert things.names() == ["a"]


def test_a_decorator_registers_and_the_same_definition_may_come_again():
    things = Registry("thing", GROUP)

    def define():
        @things.register("mine")
        class Mine:
            pass

        return Mine

    define()
    assert define() is things.get("mine")
    with pytest.raises(ValueError, match=r"thing 'mine' is registered twice: .*Mine and .*dict"):
        things.add("mine", dict)
    with pytest.raises(ValueError, match="no colon"):
        things.add("a:b", dict)


def test_an_entry_point_is_loaded_when_it_is_asked_for(folder):
    (folder / "foreign.py").write_text("class Thing:\n    pass\n")
    install(folder, "theirs = foreign:Thing\n")
    things = Registry("thing", GROUP)
    things.add("ours", 1)
    assert things.names() == ["ours", "theirs"]
    assert "foreign" not in sys.modules
    assert things.get("theirs") is sys.modules["foreign"].Thing
    origin = {"module": "foreign", "package": "foreign-things", "version": "1.2"}
    assert things.origin("theirs") == origin


def test_a_name_of_ours_goes_before_an_entry_point(folder):
    install(folder, "ours = no.such:Thing\n")
    things = Registry("thing", GROUP)
    things.add("ours", Registry)
    assert things.get("ours") is Registry
    assert things.names() == ["ours"]
    assert things.origin("ours") is None


def test_a_module_and_a_name_in_it(folder):
    source = b"class Thing:\n    class Inner:\n        pass\n"
    (folder / "loose.py").write_bytes(source)
    things = Registry("thing", GROUP)
    assert things.get("loose:Thing").__name__ == "Thing"
    assert things.get("loose:Thing.Inner").__name__ == "Inner"
    digest = hashlib.sha256(source).hexdigest()
    assert things.origin("loose:Thing") == {"module": "loose", "digest": f"sha256:{digest}"}


def test_an_installed_module_is_recorded_by_its_package():
    origin = Registry("thing", GROUP).origin("numpy.lib.format:read_magic")
    assert origin["package"] == "numpy"
    assert origin["version"]
    assert "digest" not in origin


def test_what_cannot_be_had_is_one_line_with_its_name(folder):
    (folder / "broken.py").write_text("raise RuntimeError('first\\nsecond')\n")
    install(folder, "bad = broken:Thing\ngood = other:Thing\n")
    things = Registry("thing", GROUP)
    things.add("entropy", 1)
    for name, line in {
        "bad": r"thing 'bad' cannot be loaded: RuntimeError: first$",
        "no_such:Thing": r"thing 'no_such:Thing' cannot be loaded: ModuleNotFoundError: No module",
        "json:Thing": r"'json:Thing' cannot be loaded: AttributeError: module 'json' has no",
        "entropi": r"unknown thing 'entropi'; did you mean 'entropy'\? known: bad, entropy, good$",
    }.items():
        with pytest.raises(InputError, match=line):
            things.get(name)
    with pytest.raises(ArgumentError, match=r"^thing model\.name 'bad' cannot be loaded: "):
        things.get("bad", "model.name")
    with pytest.raises(ArgumentError, match=r"^unknown thing model\.name 'x';") as caught:
        things.get("x", "model.name")
    assert caught.value.argument == "model.name"
