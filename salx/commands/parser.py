"""The flags of a command, whose errors are one line."""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from salx.infra import paths
from salx.infra.errors import InputError, cut
from salx.infra.numbers import SHOWN


class Parser(argparse.ArgumentParser):
    """Parse a command's flags, and raise InputError where argparse prints its usage and exits.

    Args:
      command: the command's name.
      about: what its --help says of it.
      **options: of argparse.ArgumentParser.
    """

    def __init__(self, command: str, about: str, **options: Any):
        super().__init__(
            prog=f"python -m salx {command}",
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read the words of a command.

        Args:
          arguments: the words after its name.

        Returns:
          The flags, by name.

        Raises:
          InputError: naming the word or flag that cannot be used.
        """
        check(arguments)
        return self.parse_args(arguments)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print before it exits.

        Args:
          message: what is wrong.

        Raises:
          InputError: always, with the message.
        """
        raise InputError(message)


def integer(text: str) -> int:
    """Read a whole number; argparse itself would repeat all of a text that is none.

    Args:
      text: at most 60 digits, with or without a sign.

    Returns:
      The number.

    Raises:
      ArgumentTypeError: for any other text; argparse makes a message of it that names the flag.
    """
    if not re.fullmatch(r"[+-]?[0-9]{1,60}", text):
        shown = paths.printable(cut(text, SHOWN))
        raise argparse.ArgumentTypeError(f"{shown}: must be a whole number")
    return int(text)


def check(arguments: Sequence[str]) -> None:
    """Check that every word of a command is text.

    Args:
      arguments: the words.

    Raises:
      InputError: naming the one that is not UTF-8, or holds a NUL byte.
    """
    for word in arguments:
        why = paths.unreadable(word)
        if why:
            raise InputError(f"{paths.printable(cut(word))}: {why}")
