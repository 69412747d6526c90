"""What most commands import, imported once for all processes of tests/prepared.py."""

import logging

import sklearn.datasets

import salx.commands.report
import salx.commands.select
import salx.commands.study
import salx.data.sets.digits
import salx.report.page.files
import salx.study.study

# What an import logs (Orbax's does) gives the root logger a handler, which a process of the command
# does not have as it begins.
logging.root.handlers.clear()

__all__ = ["salx", "sklearn"]
