"""The file of --config, which is a user's own code, and the flags that change what it gives."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict

from salx.infra.errors import InputError, cut, first_line, unknown
from salx.infra.paths import local
from salx.study import config as configs

# What configs imported from version 0.1, and where it is.
MOVED = {"salx.config": "salx.study.config"}
# Configs of version 0.1 that are one file now, with a word in the place of each name's ending.
JOINED = {
    "ade20k": ("res18", "res50", "xc65"),
    "camvid": ("mnv3", "res18"),
    "cifar10": ("res20", "res56"),
    "cityscapes": ("mnv3", "res18", "res20", "res50", "xc65"),
    "fig3_cityscapes": ("res18", "res50", "xc65"),
    "fig3_imagenet": ("res18", "res34"),
    "imagenet": ("res34",),
    "scenes": ("mnv3", "res20"),
}
LINE = 300  # characters of what others say, in a message
LABELLED = ("models", "options", "lineages", "ensembles")  # sections of labels


class _Loader(SourceFileLoader):
    """Leaves no __pycache__ beside a user's config."""

    def set_data(self, *_: object, **__: object) -> None:
        """Write nothing."""


class ConfigFile(flags.ArgumentParser):
    """Read --config by running its file, which is the user's own code and may do anything.

    Attributes:
      config: what the file last gave, None before.
    """

    config: ConfigDict | None = None

    def parse(self, path: str) -> ConfigDict:
        """Run the file, and lock the config that its get_config gives against new fields.

        Args:
          path: the file, and after a colon, if there is one, the words for get_config.

        Returns:
          The config.

        Raises:
          InputError: naming the file, for what cannot be used.
        """
        name, colon, argument = path.partition(":")
        file = local(name, "--config")
        if not file.is_file():
            raise InputError(f"--config={file}: {_missing(file, argument)}")
        try:
            loader = _Loader("config_config", str(file))
            module = importlib.util.module_from_spec(spec_from_loader(loader.name, loader))
            sys.modules[loader.name] = module  # where dataclasses in it look for their names
            loader.exec_module(module)
            config = module.get_config(*([argument] if colon else []))
        except KeyboardInterrupt:
            raise
        except InputError as error:
            raise InputError(f"--config={file}: {error}") from error
        except BaseException as error:  # sys.exit() among them: it would count as success
            raise InputError(_raised_by(file, error)) from error
        if not isinstance(config, ConfigDict):
            kind = type(config).__name__
            raise InputError(f"--config={file}: get_config gives {kind}, not a ConfigDict")
        self.config = config.lock()
        return config


def _missing(file: Path, argument: str) -> str:
    """Say why a path is no config file, with the name that a config of version 0.1 has now.

    Args:
      file: the path.
      argument: what stands behind the colon after it, "" if there is nothing.

    Returns:
      The end of a message that begins with the file's name.
    """
    if file.exists():
        return "is no file"
    name, _, word = file.stem.rpartition("_")
    if word not in JOINED.get(name, ()):
        return "no such file"
    words = ",".join(filter(None, (word, cut(argument))))
    return f"no such file; since version 0.2 it is {file.with_name(name)}.py:{words}"


def _raised_by(file: Path, error: BaseException) -> str:
    """Say in a line what a config file raised.

    Args:
      file: the config file.
      error: what running it has raised, of any kind.

    Returns:
      The line.
    """
    if isinstance(error, ImportError) and error.name in MOVED:
        return f"--config: {error.name} is {MOVED[error.name]} since version 0.2"
    said = "" if isinstance(error, SystemExit) else f": {first_line(error)[:LINE]}"
    return f"--config={file}: {type(error).__name__}{said}"


def explained(argv: list[str], error: Exception, config: ConfigDict | None) -> InputError:
    """Explain why the flags could not be read, naming the file or, in full, the field.

    Args:
      argv: the words of the command.
      error: what reading them has raised.
      config: what the file of --config gives, if it came to that.

    Returns:
      The error to end with.
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
