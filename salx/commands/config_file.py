"""The file of --config, which is a user's own code, and the flags that change what it gives."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict

from salx.infra.errors import InputError, first_line, unknown
from salx.infra.paths import local
from salx.study import config as configs

# What configs imported from version 0.1, and where it is.
MOVED = {"salx.config": "salx.study.config"}
LINE = 300  # characters of what others say, in a message
LABELLED = ("models", "options", "lineages", "ensembles")  # sections of labels


class _Loader(SourceFileLoader):
    """Leaves no __pycache__ beside a user's config."""

    def set_data(self, *_: object, **__: object) -> None:
        """Write nothing."""


class ConfigFile(flags.ArgumentParser):
    """Of --config: runs the file, which is the user's own code and may do anything."""

    config: ConfigDict | None = None  # as the file gives it

    def parse(self, path: str) -> ConfigDict:
        """Return what the file's get_config gives, locked against new fields.

        Raises InputError, naming the file, for what cannot be used.
        """
        name, colon, argument = path.partition(":")
        file = local(name, "--config")
        if not file.is_file():
            why = "is no file" if file.exists() else "no such file"
            raise InputError(f"--config={file}: {why}")
        try:
            loader = _Loader("config_config", str(file))
            module = importlib.util.module_from_spec(spec_from_loader(loader.name, loader))
            sys.modules[loader.name] = module  # where dataclasses in it look for their names
            loader.exec_module(module)
            config = module.get_config(*([argument] if colon else []))
        except (InputError, KeyboardInterrupt):
            raise
        except BaseException as error:  # sys.exit() among them: it would count as success
            raise InputError(raised_by(file, error)) from error
        if not isinstance(config, ConfigDict):
            kind = type(config).__name__
            raise InputError(f"--config={file}: get_config gives {kind}, not a ConfigDict")
        self.config = config.lock()
        return config


def raised_by(file: Path, error: BaseException) -> str:
    """Say in a line what a config file raised."""
    if isinstance(error, ImportError) and error.name in MOVED:
        return f"--config: {error.name} is {MOVED[error.name]} since version 0.2"
    said = "" if isinstance(error, SystemExit) else f": {first_line(error)[:LINE]}"
    return f"--config={file}: {type(error).__name__}{said}"


def explained(argv: list[str], error: Exception, config: ConfigDict | None) -> InputError:
    """Why the flags could not be read, naming the file or, in full, the field.

    Args:
      argv: the words of the command.
      error: what reading them has raised.
      config: what the file of --config gives, if it came to that.
    """
    if isinstance(error, InputError):
        return error
    for argument in argv[1:]:
        name = argument.lstrip("-").partition("=")[0]
        if not name.startswith("config."):
            continue
        path = name.split(".")[1:]
        try:
            configs.check_path(path)
        except InputError as unknown_field:
            return unknown_field
        section = config.get(path[0]) if config else None
        labels = section if path[0] in LABELLED and isinstance(section, ConfigDict) else path[1:2]
        for label in path[1:2]:
            if label not in labels:
                return unknown(f"label in config.{path[0]}", label, labels)
        if isinstance(error, AttributeError) and path[-1] in str(error):
            return InputError(f"--{name}: this config has no such field to change")
    kind = "" if isinstance(error, flags.Error) else f"--config: {type(error).__name__}: "
    return InputError(f"{kind}{first_line(error)[:LINE]}")
