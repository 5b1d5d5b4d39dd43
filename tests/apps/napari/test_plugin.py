"""What napari is told of the plug-in: manifest, samples, menu; and the panel in a real window."""

import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import noiseless

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
from napari.components import ViewerModel
from napari.layers import Layer
from npe2 import PluginManager, PluginManifest
from qtpy.QtWidgets import QApplication

from noiseless.apps.napari import background, sample_pictures
from noiseless.apps.napari.layer_data import is_volume, stack_of
from noiseless.apps.napari.panel import DenoisePanel
from noiseless.apps.napari.quick import denoise_selected

from .panels import LONGEST_S, waited, wish

ROOM = Path(background.__file__).parent


def test_the_manifest_is_whole():
    manifest = PluginManifest.from_file(ROOM / "napari.yaml")
    manifest.validate_imports()
    manager = PluginManager()
    manager.register(manifest)
    manager.activate("noiseless")
    commands = {command.id for command in manifest.contributions.commands}
    assert all(callable(manager.commands.get(name)) for name in commands)
    assert manager.commands.get("noiseless.panel") is DenoisePanel
    asked = [*manifest.contributions.widgets, *manifest.contributions.sample_data]
    asked += [item for items in manifest.contributions.menus.values() for item in items]
    assert {each.command for each in asked} == commands


def test_the_package_names_its_manifest():
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    named = tomllib.loads(text)["project"]["entry-points"]["napari.manifest"]["noiseless"]
    package, _, file = named.partition(":")
    assert (Path(sys.modules[package].__file__).parent / file).is_file()


def test_samples_are_layers_with_the_noise_that_they_name():
    manager = PluginManager()
    manager.register(PluginManifest.from_file(ROOM / "napari.yaml"))
    manager.activate("noiseless")
    picture = Layer.create(*manager.commands.execute("noiseless.noisy_picture")[0])
    stack = Layer.create(*manager.commands.execute("noiseless.noisy_stack")[0])
    found = noiseless.estimate_noise(picture.data)
    assert found.model.sigma == pytest.approx(sample_pictures.SIGMA, rel=0.05)
    assert (stack.data.dtype, is_volume(stack)) == (np.uint16, True)
    found = noiseless.noise.estimate_image_noise(stack_of(stack, together=True).image(()))
    assert found.kind == "poisson-gaussian"
    assert found.model.gain == pytest.approx(sample_pictures.PHOTONS.gain, rel=0.1)


def test_the_command_of_the_menu_needs_no_panel(application, noisy, notices):
    viewer = ViewerModel()
    denoise_selected(viewer)
    assert notices() == [("error", "no layer is selected, or several are; select one Image layer")]
    viewer.add_image(noisy, name="cells")
    denoise_selected(viewer)
    start = time.monotonic()
    while len(viewer.layers) < 2:
        assert time.monotonic() - start < LONGEST_S
        QApplication.processEvents()
        time.sleep(0.005)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, noiseless.denoise(noisy))


def test_noiseless_loads_no_window():
    program = "import sys, noiseless, noiseless.restoration, noiseless.apps.napari\n"
    program += "sys.exit(any(name.partition('.')[0] in ('napari', 'qtpy', 'magicgui', 'npe2') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.fixture
def window(application):
    """A viewer with a window, where there is something to draw with: a display, be it Xvfb."""
    from qtpy.QtGui import QOpenGLContext

    if not QOpenGLContext().create():
        pytest.skip("no OpenGL, which the canvas of napari needs: start Xvfb and set DISPLAY")
    import napari

    manager = PluginManager.instance()
    manager.discover()
    if "noiseless" not in manager:  # installed before it had a plug-in
        manager.register(PluginManifest.from_file(ROOM / "napari.yaml"))
    viewer = napari.Viewer(show=False)
    yield viewer
    viewer.close()


def test_the_panel_works_beside_a_real_canvas(window):
    dock, panel = window.window.add_plugin_dock_widget("noiseless", "Denoise")
    assert dock.name == "Denoise (noiseless)"
    window.open_sample("noiseless", "noisy_stack")
    wish(panel, sigma=150.0)
    panel.preview()
    waited(panel)
    assert [layer.name for layer in window.layers] == ["noisy stack", "noiseless preview"]
    panel.denoise()
    waited(panel)
    # Heat is a bad choice for this picture, and the audit says so.
    made = ["noisy stack", "noisy stack denoised", "noisy stack structure"]
    assert [layer.name for layer in window.layers] == made
    picture = window.screenshot(canvas_only=False, flash=False)
    assert picture.shape[-1] == 4
