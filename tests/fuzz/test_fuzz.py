"""Bad inputs of every kind end in one line and an exit code, and change nothing of the user's."""

import pytest

from tests.fuzz import trials
from tests.fuzz.case import GRAMMARS
from tests.fuzz.materials import Materials

# Seeds of the fast tests, of the long ones, and of those that run as processes of their own.
FEW, MANY, PROCESSES = range(8), range(100, 230), range(300, 313)


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    return Materials(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def judge(every):
    """Fail with all that somebody needs to see each of the failed cases again."""
    complaint = trials.complaint(every)
    if complaint:
        pytest.fail(complaint, pytrace=False)  # an assertion would cut it short


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_a_few_bad_inputs(grammar, folder, materials):
    """Those that block run as processes, the others in this one."""
    judge(trials.several(grammar, FEW, folder, materials))


@pytest.mark.slow
@pytest.mark.parametrize("grammar", GRAMMARS)
def test_many_bad_inputs(grammar, folder, materials):
    judge(trials.several(grammar, MANY, folder, materials))


@pytest.mark.slow
@pytest.mark.parametrize("grammar", GRAMMARS)
def test_bad_inputs_as_processes(grammar, folder, materials):
    judge(trials.several(grammar, PROCESSES, folder, materials, True))


@pytest.mark.slow
def test_the_inputs_reach_both_ends(folder, materials):
    """Not all of them fail at the first check, and not all of them are accepted."""
    every = [
        trial
        for grammar in GRAMMARS
        for seeds, process in ((MANY, False), (PROCESSES, True))
        for trial in trials.several(grammar, seeds, folder, materials, process)
    ]
    shares = trials.shares(every)
    assert len(every) >= 1000
    assert shares[0] >= 0.05
    assert shares[2] >= 0.5
    assert shares[1] + shares[2] >= 0.6
