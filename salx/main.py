"""`python -m salx.main --config=configs/X.py --workdir=W`: a whole study, or the rest of it.

Exit codes: 0 done, 1 a run had to stop, 2 bad input, 130 interrupted (the same command goes on).
"""

import os
import sys
from pathlib import Path

from absl import app, flags, logging
from ml_collections import config_flags

from salx import config as configs
from salx import grid, report
from salx.errors import InputError, RunError

CONFIG = config_flags.DEFINE_config_file("config", None, "The study, as in configs/quickstart.py.")
WORKDIR = flags.DEFINE_string("workdir", None, "The folder of the study's files.")


def parse(argv: list[str]) -> list[str]:
    """absl's flags, with bad ones as one line and exit code 2."""
    try:
        rest = app.parse_flags_with_usage(argv)
    except (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise SystemExit(refused(InputError(str(error)))) from error
    if flags.FLAGS["verbosity"].using_default_value:
        flags.FLAGS.verbosity = logging.WARNING  # Orbax tells of every file; --verbosity=0 shows it
    return rest


def refused(error: Exception) -> int:
    """Prints an error as one line on stderr; returns the exit code."""
    print("salx: " + " ".join(str(error).split()), file=sys.stderr)
    return 2 if isinstance(error, InputError) else 1


def run(argv: list[str]) -> None:
    if len(argv) > 1:
        raise InputError(f"unexpected argument {argv[1]!r}")
    for name, given in (("config", CONFIG.value), ("workdir", WORKDIR.value)):
        if not given:
            raise InputError(f"--{name} is required")
    config, workdir = configs.resolve(CONFIG.value), Path(WORKDIR.value)
    grid.refuse_other(workdir, config)
    if grid.is_finished(workdir, config):
        print(f"{workdir}: this study is finished; nothing to do")
    else:
        from salx import study  # jax, which a finished study has no need of

        study.run(config, workdir)
        report.write(workdir)
    print(report.summary(workdir))


def main(argv: list[str]) -> int:
    try:
        run(argv)
    except (InputError, RunError) as error:
        return refused(error)
    except KeyboardInterrupt:
        print("salx: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
