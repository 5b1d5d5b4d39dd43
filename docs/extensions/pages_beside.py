"""Sphinx extension: pages that lie beside the docs in the repository, and the links to them.

A page of the docs links to ``../benchmarks/README.md``, as it must where the repository is read. On the site that file
is the page ``measurements``, which holds nothing but an include of it, and the link leads there. The links within such
a file are those of its own folder, and are turned in the same way.
"""

import os
import re
from pathlib import Path, PurePosixPath

BESIDE = {
    "benchmarks/README.md": "measurements.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
    "training/README.md": "training.md",
    "training/ledger.md": "ledger.md",
}

KEPT_TOGETHER = re.compile(r"(?<=\d) / (?=\d)")
"""A figure for each of several strengths of noise is one thing to read, and is not broken between lines."""

LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[\w-]*)?\)")


def turned(text, folder, page_folder):
    """``text`` with its links, which are those of ``folder``, as a page in ``page_folder`` of the docs has them."""

    def turn(found):
        path = PurePosixPath(os.path.normpath(folder / found[1])).as_posix()
        path = f"docs/{BESIDE[path]}" if path in BESIDE else path
        relative = PurePosixPath(os.path.relpath(path, PurePosixPath("docs") / page_folder)).as_posix()
        return f"]({relative}{found[2] or ''})"

    return LINK.sub(turn, text)


def of_a_page(app, docname, source):
    """A page of the docs: its links to files of ``BESIDE`` become links to pages."""
    folder = PurePosixPath(docname).parent
    source[0] = KEPT_TOGETHER.sub("\u00a0/\u00a0", turned(source[0], PurePosixPath("docs") / folder, folder))


def of_what_is_included(app, relative_path, parent_docname, content):
    """What a page includes: its links are those of its own folder in the repository."""
    file = (Path(app.srcdir) / relative_path).resolve().relative_to(Path(app.srcdir).resolve().parent)
    content[0] = turned(content[0], PurePosixPath(file.parent.as_posix()), PurePosixPath(parent_docname).parent)


def setup(app):
    """What Sphinx calls."""
    app.connect("source-read", of_a_page)
    app.connect("include-read", of_what_is_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
