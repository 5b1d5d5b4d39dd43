"""How the documentation is built: ``sphinx-build -W -b html docs docs/_build/html``, or ``./run docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import noiseless

project = "noiseless"
author = "The noiseless authors"
copyright = "The noiseless authors, Apache-2.0"
version = release = noiseless.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "pages_beside",
    "rooms",
    "command_line",
]
exclude_patterns = ["_build", "extensions", "figures/*.py"]
nitpicky = False
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"noiseless {release}"
html_static_path = ["_static"]
html_css_files = ["noiseless.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    # Whoever reads this beside a machine without network has all of it: no fonts, scripts or pictures from elsewhere.
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7db7f5", "color-brand-content": "#7db7f5"},
}

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
