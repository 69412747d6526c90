"""Chromium without a window, for what only a browser can tell of a page."""

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A window is at least 500 pixels wide; a frame in it is as wide as it is told.
FRAME = """<!DOCTYPE html><html lang="en"><title>Checked</title><body>
<iframe style="width: {width}px; height: 900px" srcdoc="{text}"></iframe></body></html>"""
CHECK = """<script>{axe}</script><script>
axe.run(document, {{resultTypes: ["violations"]}}).then(result => {{
  const lines = result.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const seen = {{width: innerWidth, dark: dark, passed: result.passes.length, lines: lines}};
  parent.document.body.setAttribute("data-checked", JSON.stringify(seen));
}});
</script></body>"""


def executable() -> str | None:
    """The browser on the PATH, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def axe() -> str:
    """The source of axe-core, as the package axe-core-python carries it."""
    package = Path(find_spec("axe_core_python").origin).parent
    return (package / "axe.min.js").read_text(encoding="utf-8")


def check(page: Path, folder: Path, width: int, dark: bool) -> dict:
    """What axe-core says of a page with everything on it unfolded.

    page: an HTML file; folder: an empty one for the browser; width: of the window, in pixels;
    dark: show the page as to those who prefer dark ones.
    """
    text = page.read_text(encoding="utf-8").replace("<details", "<details open")
    text = text.replace("</body>", CHECK.format(axe=axe()))
    framed = folder / "framed.html"
    framed.write_text(FRAME.format(width=width, text=html.escape(text)), encoding="utf-8")
    words = [
        executable(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
        "--virtual-time-budget=60000", "--window-size=1400,1000",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--user-data-dir={folder / 'profile'}", framed.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(words, capture_output=True, text=True, timeout=300)
    match = re.search(r'data-checked="([^"]*)"', ran.stdout)
    assert match, ran.stderr[-2000:]
    return json.loads(html.unescape(match[1]))
