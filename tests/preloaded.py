"""What most commands import, imported once for all processes of tests/prepared.py."""

import sklearn.datasets

import salx.commands.report
import salx.commands.select
import salx.commands.study
import salx.data.sets.digits
import salx.report.page.files
import salx.study.study

__all__ = ["salx", "sklearn"]
