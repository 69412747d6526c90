"""Write text and tables as LaTeX source."""

from collections.abc import Sequence

from salx.report.formatting import DAGGER, DASH, MINUS

TEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "→": r"$\rightarrow$",
    "<": r"$<$",
    DAGGER: r"$^\dagger$",
    MINUS: r"$-$",
    DASH: "--",
}


def escape(text: str) -> str:
    """Write LaTeX source that prints just this text.

    Args:
      text: any.

    Returns:
      The source.
    """
    return "".join(TEX.get(character, character) for character in text)


def stacked(lines: Sequence[str], head: str | None = None) -> str:
    """Stack lines of text in one cell.

    Args:
      lines: the lines.
      head: source that replaces the first one.

    Returns:
      The source of the cell.
    """
    first, *rest = lines
    first = escape(first) if head is None else head
    if not rest:
        return first
    lower = [f"{{{escape(line)}}}" for line in rest]  # in braces: \\[ would take an argument
    stack = r" \\ ".join([first, *lower])
    return rf"\begin{{tabular}}{{@{{}}c@{{}}}}{stack}\end{{tabular}}"


def tabular(
    comment: str, heads: Sequence[str], rows: Sequence[Sequence[str]], packages: str
) -> str:
    """Write a booktabs tabular.

    Args:
      comment: what stands above it.
      heads: the source of each column's name.
      rows: that of each cell.
      packages: what a document needs for it.

    Returns:
      The source.
    """
    return "\n".join(
        [
            f"% {packages}",
            f"% {' '.join(comment.split())}",
            rf"\begin{{tabular}}{{l{'c' * (len(heads) - 1)}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )
