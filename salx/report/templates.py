"""Fill the templates of the page. What comes from files is escaped; only our own Markup is not."""

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from salx.report import formatting


@functools.cache
def environment() -> Environment:
    """Make the environment of the templates.

    Returns:
      The environment; templates are named from the folder of this module.
    """
    made = Environment(
        loader=PackageLoader("salx.report", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.globals["formatting"] = formatting
    return made


def fill(name: str, **values: Any) -> Markup:
    """Fill a template.

    Args:
      name: the template's, as `page/page.html.j2`.
      **values: what it shows.

    Returns:
      HTML.
    """
    return Markup(environment().get_template(name).render(**values))


def source(name: str) -> str:
    """Read a file among the templates.

    Args:
      name: the file's, as `page/page.css`.

    Returns:
      Its text.
    """
    made = environment()
    return made.loader.get_source(made, name)[0]
