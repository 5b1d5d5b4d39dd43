"""How a test uses a panel, and waits for it."""

import time

import pytest

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
from qtpy.QtWidgets import QApplication

from noiseless.apps.napari.wishes import SIGMA

LONGEST_S = 30


def waited(panel):
    """Let the window live until the panel has ended what it does."""
    start = time.monotonic()
    while panel.running:
        assert time.monotonic() - start < LONGEST_S
        QApplication.processEvents()
        time.sleep(0.005)


def wish(panel, method="heat", sigma=20.0):
    panel.method.value = method
    panel.noise.value = SIGMA
    panel.sigma.value = sigma


def names(panel):
    return [layer.name for layer in panel._viewer.layers]
