"""How Sphinx builds the documentation: `sphinx-build -W --keep-going -b html docs build/docs`."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

from salx.infra.version import __version__  # noqa: E402

# Cells run in a folder of their own, with this Python and this tree, on CPUs.
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
os.environ["PYTHONPATH"] = str(ROOT)
os.environ["JAX_PLATFORMS"] = "cpu"
FLAGS = "--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=true"
os.environ.setdefault("XLA_FLAGS", FLAGS)

# IPython runs what lies in this folder as a kernel starts.
os.environ["IPYTHONDIR"] = str(ROOT / "build" / "ipython")
startup = ROOT / "build" / "ipython" / "profile_default" / "startup"
startup.mkdir(parents=True, exist_ok=True)
shutil.copy(ROOT / "docs" / "_ext" / "shell_cells.py", startup)

project = "SALX"
author = "The SALX authors"
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "salx_docs"]
exclude_patterns = ["_ext", "requirements.txt"]
source_suffix = {".md": "myst-nb"}
default_role = "code"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "docs-cells")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Class attributes", "attributes")]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = f"SALX {__version__}"
html_show_sphinx = False
