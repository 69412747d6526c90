"""Screen readers, keyboards and weak eyes can use the page: axe-core's rules, in Chromium."""

import pytest

from salx import report
from tests.report import browser
from tests.report.work import write_work

pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason="no Chromium is on the PATH: apt-get install chromium"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a study with all that one may have, one run of which is missing."""
    workdir = write_work(
        tmp_path_factory.mktemp("accessible"), recorded=True, potentials=True, seeds=2, cycles=4,
        policies=["entropy", "core_set"], lineages={"line": ["res8", "res20"]},
    )  # fmt: skip
    (workdir / "deployments/res8.on.res14.entropy.s1.c03/result.json").unlink()
    return report.write(workdir)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_wrong(page, tmp_path, width, dark):
    checked = browser.check(page, tmp_path, width, dark)
    assert (checked["width"], checked["dark"]) == (width, dark)
    assert checked["passed"] > 20
    assert checked["lines"] == []
