"""Records, results and configs of another run, or without a field, are named and never used: by a
study, by its plan, and by its report."""

import json
import shutil

import pytest

from salx import records, report, run_folder
from salx.infra import sealed, storage
from salx.infra.errors import InputError
from salx.study import work_folder
from salx.study.study import Study
from tests.builders import quiet


@pytest.fixture
def work(finished, tmp_path):
    """A copy of the finished small study."""
    return shutil.copytree(finished[0], tmp_path / "w")


def copied_chain(work, source, target):
    for path in sorted((work / "selections" / source).glob("cycle_*.jsonl")):
        shutil.copy(path, work / "selections" / target / path.name)
    return work / "selections" / target


def swapped_cycles(work):
    folder = work / "selections" / "a.entropy.s0"
    one, two = (records.record_path(folder, cycle) for cycle in (1, 2))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return one


def resealed(path, change):
    """Change a JSON file and give it the digest of its new content."""
    value = sealed.read_json(path)
    change(value)
    sealed.write_json(path, value)
    return path


def rewritten(path, change):
    """Change a record's header and give it the digest of its new content."""
    head, _, body = path.read_bytes().partition(b"\n")
    header = json.loads(head)
    header.pop("digest")
    change(header)
    header["digest"] = sealed.digest(sealed.canonical(header), body)
    storage.write_file(path, sealed.canonical(header) + b"\n" + body)
    return path


def without(name):
    """What takes a field out, `a.b` the field b of a."""
    *above, last = name.split(".")

    def change(value):
        for word in above:
            value = value[word]
        del value[last]

    return change


def becoming(name, other):
    """What gives a field another value."""
    return lambda value: value.update({name: other})


RESULT = "deployments/b.on.random.s1.c00/result.json"
RECORD = "selections/a.entropy.s0/cycle_01.jsonl"
CHAINS = {
    "another surrogate": lambda work: copied_chain(work, "b.entropy.s0", "a.entropy.s0"),
    "another seed": lambda work: copied_chain(work, "a.entropy.s1", "a.entropy.s0"),
    "the random column": lambda work: copied_chain(work, "random.s0", "a.entropy.s0"),
    "swapped cycles": swapped_cycles,
    "another policy": lambda work: rewritten(work / RECORD, becoming("policy", "core_set")),
    "other options": lambda work: rewritten(work / RECORD, becoming("options", {"x": 1})),
    "no cycle": lambda work: rewritten(work / RECORD, without("cycle")),
    "no parent": lambda work: rewritten(work / RECORD, without("parent")),
    "no data": lambda work: rewritten(work / RECORD, without("data")),
    "no fingerprint": lambda work: rewritten(work / RECORD, without("data.fingerprint")),
    "no surrogate": lambda work: rewritten(work / RECORD, without("surrogate")),
    "no format": lambda work: rewritten(work / RECORD, without("format")),
    "a cycle in words": lambda work: rewritten(work / RECORD, becoming("cycle", "one")),
    "a list for data": lambda work: rewritten(work / RECORD, becoming("data", [1])),
}
RESULTS = {
    "a result of another run": lambda work: shutil.copy(
        work / "deployments/a.on.random.s1.c00/result.json", work / RESULT
    ),
    "no run": lambda work: resealed(work / RESULT, without("run")),
    "no checkpoint": lambda work: resealed(work / RESULT, without("checkpoint")),
    "no seconds": lambda work: resealed(work / RESULT, without("seconds")),
    "steps in words": lambda work: resealed(work / RESULT, becoming("steps", "many")),
    "no environment": lambda work: resealed(work / RESULT, without("environment")),
}
STUDIES = {
    "no config": lambda work: resealed(work / "study.json", without("config")),
    "no policies": lambda work: resealed(work / "study.json", without("config.policies")),
    "no models": lambda work: resealed(work / "study.json", without("config.models")),
    "no data": lambda work: resealed(work / "study.json", without("dataset")),
    "no fingerprint": lambda work: resealed(work / "study.json", without("dataset.fingerprint")),
    "a list": lambda work: resealed(work / "study.json", becoming("config", [1])),
}
DEPLOYED = "deployments/b.on.random.s1.c00/config.json"
CONFIGS = {
    "a selection's": lambda work: shutil.copy(
        work / "selections/b.entropy.s0/config.json", work / "selections/a.entropy.s0/config.json"
    ),
    "a deployment's": lambda work: shutil.copy(
        work / "deployments/a.on.random.s1.c00/config.json", work / DEPLOYED
    ),
    "without run": lambda work: resealed(work / DEPLOYED, without("run")),
}
EVERY = {
    f"{kind}: {name}": change
    for kind, cases in {
        "record": CHAINS, "result": RESULTS, "study": STUDIES, "config": CONFIGS,
    }.items()
    for name, change in cases.items()
}  # fmt: skip


def refused(action, path):
    with pytest.raises(InputError) as caught:
        action()
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


@pytest.mark.parametrize("case", EVERY)
def test_a_finished_study_is_not_taken_as_finished(work, small, case):
    path = EVERY[case](work)
    refused(
        lambda: (work_folder.refuse_other(work, small), work_folder.is_finished(work, small)), path
    )


@pytest.mark.parametrize("case", EVERY)
def test_its_report_is_not_drawn(work, case):
    path = EVERY[case](work)
    refused(lambda: report.write(work), path)


@pytest.mark.parametrize("case", EVERY)
def test_its_plan_says_so(work, small, case):
    path = EVERY[case](work)

    def plan():
        work_folder.refuse_other(work, small)
        Study(quiet(small), work).plan(1)

    refused(plan, path)


@pytest.mark.parametrize("case", CHAINS)
def test_a_study_does_not_go_on_from_it(work, small, case):
    shutil.rmtree(work / "deployments" / "a.on.b.entropy.s1.c02")  # something is left to do
    path = CHAINS[case](work)
    refused(Study(quiet(small), work).run, path)


def test_a_chain_of_another_budget_is_refused(work):
    folder = work / "selections" / "random.s0"
    resealed(folder / "config.json", becoming("budget", 0.12))
    fingerprint = sealed.read_json(work / "study.json")["dataset"]["fingerprint"]
    line = refused(lambda: records.read_chain(folder, 3, fingerprint), folder / "cycle_00.jsonl")
    assert line.endswith("is of another selection: 29 examples are labelled after it, not 57")


def test_the_line_says_what_differs(work, salx):
    path = CHAINS["another surrogate"](work) / "cycle_01.jsonl"
    process = salx(work)
    why = "is of another selection: surrogate 'b' is not the folder's, 'a'"
    assert (process.returncode, process.stderr) == (2, f"salx: {path}: {why}\n")
    assert "nothing to do" not in process.stdout


def test_names_of_selections_are_read_back():
    for chooser in (("res8", "entropy", 0), (None, "random", 12), ("a-b_c", "core_set", 3)):
        assert run_folder.chooser_of(run_folder.selection_name(*chooser)) == chooser
    for name in ("", "random", "a.b.c.s0", "random.s", "random.sx", "test_a_chain_0"):
        assert run_folder.chooser_of(name) is None
