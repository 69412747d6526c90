"""`python -m salx.main --config=configs/X.py --workdir=W`, or `python -m salx study ...`: a whole
study, or the rest of it.

Exit codes: 0 done, 1 a run had to stop, 2 bad input, 75 stopped by SIGTERM or by a bucket that does
not answer, and 130 interrupted; after these two the same command goes on.

--worker=I/N takes the share of one of N commands that run at once on one folder, as the elements
of an array; each share is done on its own. --plan says what there is to do, and does nothing.

Several processes run one study, or one share, together when each gets the same command and
--coordinator, --processes and --process, or when Slurm, Kubernetes or a TPU pod started them.
They share the folder of --workdir; process 0 alone writes and prints; they end together, with one
exit code.
"""

import os
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

from absl import app, flags, logging
from ml_collections import config_flags

from salx import report
from salx.commands import parser as command_line
from salx.commands.config_file import LINE, ConfigFile, explained
from salx.infra import locks, multihost, paths, storage
from salx.infra.errors import (
    ArgumentError,
    InputError,
    RunError,
    Stopped,
    Unreachable,
    first_line,
    unknown,
    verdict,
)
from salx.infra.numbers import whole_of
from salx.study import config as configs
from salx.study import folders, partition, work_folder
from salx.study.config import StudyConfig

MOST_PROCESSES, MOST_SECONDS = 10_000, 1e9


class _Workers(flags.ArgumentParser):
    """A number of workers, or nothing: the flag alone."""

    syntactic_help = "a number of workers"

    def parse(self, argument: str) -> int:
        """Return the number, 0 for the flag alone; raises ValueError for what is none."""
        if argument == "true":
            return 0
        try:
            return whole_of("", argument, 1, partition.MOST_WORKERS)
        except ArgumentError as error:
            most = partition.MOST_WORKERS
            raise ValueError(f"must be {self.syntactic_help}, from 1 to {most}") from error


def _optional(parser: flags.ArgumentParser, name: str, text: str) -> flags.FlagHolder:
    """A flag that may stand alone, as --name, or say more, as --name=3."""
    flag = flags.Flag(parser, None, name, None, text)
    flag.boolean = True
    return flags.DEFINE_flag(flag)


CONFIG = config_flags.DEFINE_config_file(
    "config", None, "The study: configs/quickstart.py; or, with words, configs/cityscapes.py:res18."
)
flags.FLAGS["config"].parser = ConfigFile()
WORKDIR = flags.DEFINE_string("workdir", None, "The study's folder, or gs://BUCKET/FOLDER.")
COORDINATOR = flags.DEFINE_string("coordinator", None, "HOST:PORT where process 0 listens.")
PROCESSES = flags.DEFINE_integer("processes", None, "How many run the study.", 1, MOST_PROCESSES)
WORKER = flags.DEFINE_string("worker", "0/1", "I/N: the share of one of N workers, from 0/N.")
PLAN = _optional(_Workers(), "plan", "Print what there is to do, for so many workers; do nothing.")
STEP_SECONDS = flags.DEFINE_list(
    "step_seconds", [], "MODEL=SECONDS,...: of one device in a training step, for --plan."
)
PROCESS = flags.DEFINE_integer("process", None, "This one's number, from 0.", 0, MOST_PROCESSES)


def parse(argv: list[str]) -> list[str]:
    """Parse absl's flags. A bad one ends the process with one line and exit code 2.

    Args:
      argv: the words of the command, its name first.

    Returns:
      The words that are no flags.
    """
    parser = flags.FLAGS["config"].parser
    try:
        command_line.check(argv)
        argv = [_expanded(word) for word in argv]
    except InputError as error:
        raise SystemExit(multihost.end(*verdict(error))) from error
    try:
        rest = flags.FLAGS(argv)
        if CONFIG.value is not None:
            CONFIG.value.to_dict()  # raises what a reference of its fields raises
    except KeyboardInterrupt as error:
        raise SystemExit(multihost.end(*verdict(error))) from error
    except Exception as error:  # a config is the user's own code and may hold anything
        raise SystemExit(multihost.end(*verdict(explained(argv, error, parser.config)))) from error
    if flags.FLAGS["verbosity"].using_default_value:
        flags.FLAGS.verbosity = logging.WARNING  # Orbax tells of every file; --verbosity=0 shows it
    return rest


def _expanded(word: str) -> str:
    """A word whose `~` in --config=~/FILE is expanded, which a shell leaves alone behind a "="."""
    flag, tilde, path = re.fullmatch(r"(--?config=)?(~?)(.*)", word, re.DOTALL).groups()
    return f"{flag or ''}{paths.local(tilde + path)}" if tilde else word


def _unexpected(error: Exception) -> tuple[int, str]:
    """The exit code and line of an error of one of several processes; a bug shows where it is.

    An error of the devices has no place of its own: as a rule another process is gone, and a
    collective with it.
    """
    import jax

    if not isinstance(error, jax.errors.JaxRuntimeError):
        traceback.print_exception(error)
    code, line = verdict(RunError(f"{type(error).__name__}: {str(error)[:300]}"))
    return code, line.replace("salx:", f"salx: process {multihost.process.index}:")


def _run(argv: list[str]) -> None:
    """Do what the flags say; raises InputError for what cannot be used."""
    if PLAN.value is None:
        multihost.initialise(COORDINATOR.value, PROCESSES.value, PROCESS.value)
    if not multihost.is_main():
        logging.set_verbosity(logging.ERROR)  # process 0 has the same warnings
    if len(argv) > 1:
        raise InputError(f"unexpected argument {argv[1][:LINE]!r}")
    for name, value in (("config", CONFIG.value), ("workdir", WORKDIR.value)):
        if not value:
            raise InputError(f"--{name} is required")
    config, workdir = configs.resolve(CONFIG.value), storage.resolve(WORKDIR.value)
    worker = partition.worker(WORKER.value)
    folders.check(workdir)
    if PLAN.value is not None:
        work_folder.refuse_other(workdir, config)
        return _plan(config, workdir, PLAN.value or worker[1])
    multihost.run_on_main(work_folder.refuse_other, workdir, config)
    finished = multihost.run_on_main(work_folder.is_finished, workdir, config)
    if not finished:
        folders.check_writable(workdir)
        from salx.study import study  # jax, which a finished study has no need of

        study.Study(config, workdir, worker).run()
    if not multihost.is_main():
        return
    if worker[1] > 1 and not work_folder.is_finished(workdir, config):
        print(f"{workdir}: worker {WORKER.value} has done its share; others have not")
    else:
        _tell(workdir, finished)


def _plan(config: StudyConfig, workdir: Path, workers: int) -> None:
    """Print what there is to do."""
    import jax

    from salx.study import study

    jax.config.update("jax_platforms", "cpu")  # the accelerators may be busy
    seconds = _step_seconds(STEP_SECONDS.value, config.models)
    print(study.Study(config, workdir).plan(workers, seconds))


def _step_seconds(words: list[str], models: Iterable[str]) -> dict[str, float]:
    """{"res18": 0.2} of `["res18=0.2"]`; raises InputError for what is no model or number."""
    seconds = {}
    for one in words:
        label, _, value = one[:LINE].partition("=")
        if label not in models:
            raise unknown("model in --step_seconds", label, models)
        try:
            seconds[label] = float(value)
        except ValueError as error:
            raise InputError(f"--step_seconds={one[:LINE]}: must be MODEL=SECONDS") from error
        if not 0 < seconds[label] < MOST_SECONDS:
            rule = f"must be above 0 and below {MOST_SECONDS:g}"
            raise InputError(f"--step_seconds={one[:LINE]}: {rule}")
    return seconds


def _tell(workdir: Path, finished: bool) -> None:
    """Draw the report of a study that is through, unless it is there, and print its table."""
    page = workdir / "report" / "index.html"
    if finished:
        print(f"{workdir}: this study is finished; nothing to do")
    if not (finished and page.exists()):
        with locks.held(workdir, wait=True):  # two workers may end at once
            report.write(workdir)
    print(report.summary(workdir))
    print(f"report: {page}")


def checked_run(argv: list[str]) -> int:
    """Run what the flags say, with errors that become one line and an exit code.

    Args:
      argv: the words that are no flags, the command's name first.

    Returns:
      The exit code.
    """
    try:
        _run(argv)
    except (InputError, RunError, Stopped, Unreachable) as error:
        return multihost.end(*verdict(error))
    except KeyboardInterrupt as error:
        code = multihost.end(*verdict(error))
        sys.stdout.flush()
        os._exit(code)  # a save that still goes on would fail within Python's own end, and tell
    except Exception as error:
        if storage.is_transient(error):
            return multihost.end(*verdict(Unreachable(f"{WORKDIR.value}: {first_line(error)}")))
        if multihost.process.count == 1:
            raise
        return multihost.end(*_unexpected(error))
    return 0


def main(arguments: Sequence[str]) -> None:
    """Run the command; absl reads its flags.

    Args:
      arguments: the words after its name.
    """
    sys.modules["__main__"].__doc__ = __doc__  # absl's --help shows that, and the program's flags
    for flag in flags.FLAGS.get_flags_for_module(__name__):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(checked_run, ["salx study", *arguments], flags_parser=parse)
