import shutil

import pytest

from tests.report.work import write_work


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    return write_work(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def workdir(finished, tmp_path):
    """A finished study of three models, three seeds and ten cycles, to do with as one likes."""
    return shutil.copytree(finished, tmp_path / "W")
