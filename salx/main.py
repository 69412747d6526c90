"""`python -m salx.main --config=configs/X.py --workdir=W`: a whole study, or the rest of it.

Exit codes: 0 done, 1 a run had to stop, 2 bad input, 130 interrupted (the same command goes on).
"""

import sys
from pathlib import Path

from absl import app, flags, logging
from ml_collections import config_flags

from salx import config as configs
from salx import grid, report
from salx.errors import InputError, RunError, one_line

CONFIG = config_flags.DEFINE_config_file("config", None, "The study, as in configs/quickstart.py.")
WORKDIR = flags.DEFINE_string("workdir", None, "The folder of the study's files.")


def parse(argv: list[str]) -> list[str]:
    """absl's flags, with bad ones as one line and exit code 2."""
    try:
        rest = flags.FLAGS(argv)
        if CONFIG.value is not None:
            CONFIG.value.to_dict()  # raises what the config file raised
    except Exception as error:  # a config is the user's own code and may raise anything
        raise SystemExit(refused(explained(argv, error))) from error
    if flags.FLAGS["verbosity"].using_default_value:
        flags.FLAGS.verbosity = logging.WARNING  # Orbax tells of every file; --verbosity=0 shows it
    return rest


def explained(argv: list[str], error: Exception) -> InputError:
    """Why the flags could not be read, naming the file or, in full, the field."""
    for argument, after in zip(argv[1:], [*argv[2:], ""], strict=True):
        name, equals, value = argument.lstrip("-").partition("=")
        if name == "config":
            file = Path((value if equals else after).partition(":")[0])
            if not file.is_file():
                return InputError(f"--config={file}: no such file")
        if name.startswith("config."):
            try:
                configs.check_path(name.split(".")[1:])
            except InputError as unknown_field:
                return unknown_field
    if isinstance(error, OSError) and error.__cause__:
        error = error.__cause__  # ml_collections wraps what a config file raised
    kind = "" if isinstance(error, flags.Error) else f"--config: {type(error).__name__}: "
    return InputError(f"{kind}{error}")


def refused(error: Exception) -> int:
    """Prints an error as one line on stderr; returns the exit code."""
    print(f"salx: {one_line(error)}", file=sys.stderr)
    return 2 if isinstance(error, InputError) else 1


def run(argv: list[str]) -> None:
    if len(argv) > 1:
        raise InputError(f"unexpected argument {argv[1]!r}")
    for name, given in (("config", CONFIG.value), ("workdir", WORKDIR.value)):
        if not given:
            raise InputError(f"--{name} is required")
    config, workdir = configs.resolve(CONFIG.value), Path(WORKDIR.value)
    grid.refuse_other(workdir, config)
    page, finished = workdir / "report" / "index.html", grid.is_finished(workdir, config)
    if finished:
        print(f"{workdir}: this study is finished; nothing to do")
    else:
        from salx import study  # jax, which a finished study has no need of

        study.run(config, workdir)
    if not (finished and page.exists()):
        report.write(workdir)
    print(report.summary(workdir))
    print(f"report: {page}")


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
