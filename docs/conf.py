"""`make site`: the documentation as pages. What is broken in it fails the build."""

project = "Assay"
author = "The developers of Assay"
copyright = "The developers of Assay"  # noqa: A001 - Sphinx's name

extensions = ["myst_parser", "sphinxcontrib.mermaid"]
source_suffix = {".md": "markdown"}
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
nitpicky = True
# Files of rosters and questions have no highlighter.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "Assay"
