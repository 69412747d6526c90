import json

import pytest

from salx import run_folder
from salx.infra import sealed, version
from salx.infra.errors import InputError, unknown


def test_names_of_runs():
    assert run_folder.selection_name("res8", "entropy", 0) == "res8.entropy.s0"
    assert run_folder.selection_name(None, "random", 2) == "random.s2"
    assert run_folder.deployment_name("res14", "random.s2", 9) == "res14.on.random.s2.c09"


@pytest.mark.parametrize("label", ["", "a.b", "../x", "a b", "a/b", "<i>"])
def test_labels_cannot_leave_their_folder(label):
    with pytest.raises(InputError, match=r"config\.models"):
        run_folder.check_label("models", label)


def test_json_shows_any_damage(tmp_path):
    path = tmp_path / "result.json"
    sealed.write_json(path, {"value": 0.5, "name": "x", "list": [1, 2]})
    assert sealed.read_json(path) == {"value": 0.5, "name": "x", "list": [1, 2]}
    sound = path.read_bytes()
    for damaged in (sound.replace(b"0.5", b"0.6"), sound[:-20], b"", b"[]", b"{}", b"\xff"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"result\.json: damaged"):
            sealed.read_json(path)


def test_not_a_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        sealed.write_json(tmp_path / "x.json", {"value": float("nan")})
    assert not list(tmp_path.iterdir())


def test_differences_name_the_fields():
    old = {"train": {"batch": 16, "steps": 3}, "seeds": 3, "models": ("a",)}
    new = {"train": {"batch": 32, "steps": 3}, "models": ["a"], "extra": True}
    assert sealed.differences(old, old) == ""
    assert (
        sealed.differences(old, new) == "extra None -> True, seeds 3 -> None, train.batch 16 -> 32"
    )


def test_a_folder_belongs_to_one_run(tmp_path):
    run_folder.claim(tmp_path, {"seed": 0, "options": ()})
    run_folder.claim(tmp_path, {"seed": 0, "options": ()})
    with pytest.raises(InputError, match="another run: seed 0 -> 1"):
        run_folder.claim(tmp_path, {"seed": 1, "options": ()})


def test_code_version_follows_the_sources(tmp_path, monkeypatch):
    before = version.code_version()
    assert before.startswith("0.2.0.dev0+")
    (tmp_path / "__init__.py").write_text("changed = True")
    monkeypatch.setattr(version, "PACKAGE", tmp_path)
    version.code_version.cache_clear()
    assert version.code_version() != before
    monkeypatch.undo()
    version.code_version.cache_clear()
    assert version.code_version() == before


def test_an_unknown_name_suggests_the_nearest():
    message = str(unknown("policy", "entrpy", ["random", "entropy"]))
    assert message == "unknown policy 'entrpy'; did you mean 'entropy'? known: entropy, random"
    assert "did you mean" not in str(unknown("policy", "zzz", ["random"]))


def test_canonical_json_is_one_text_for_equal_values():
    assert sealed.canonical({"b": 1, "a": [1.5]}) == sealed.canonical(
        json.loads('{"a":[1.5],"b":1}')
    )
