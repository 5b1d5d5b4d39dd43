"""napari without a screen. The modules of tests import it, or are skipped; this one only tries to."""

import contextlib
import importlib
import os
import warnings

import pytest

from .given import noisy_of

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@contextlib.contextmanager
def models_as_of_pydantic_1():
    """napari and npe2 make their models so; where pydantic is absent, so are they."""
    with warnings.catch_warnings():
        with contextlib.suppress(ImportError):
            from pydantic.warnings import PydanticDeprecatedSince20

            warnings.simplefilter("ignore", PydanticDeprecatedSince20)
        yield


# Here, as importing them warns, and the modules of tests turn warnings into errors.
for package in ("npe2", "napari.components", "napari.layers", "magicgui.widgets", "qtpy.QtWidgets"):
    with models_as_of_pydantic_1(), contextlib.suppress(ImportError):
        importlib.import_module(package)


@pytest.fixture(autouse=True)
def without_warnings_of_pydantic():
    with models_as_of_pydantic_1():
        yield


@pytest.fixture(scope="module", autouse=True)
def settings_of_napari(tmp_path_factory):
    """Not those of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_CONFIG", str(tmp_path_factory.mktemp("napari") / "settings.yaml"))
        yield


@pytest.fixture(scope="module")
def application():
    from qtpy.QtWidgets import QApplication

    return QApplication.instance() or QApplication([])


@pytest.fixture
def notices():
    """What napari was asked to tell, as (severity, text)."""
    from napari.utils.notifications import notification_manager

    notification_manager.records.clear()
    return lambda: [(record.severity.value, record.message) for record in notification_manager.records]


@pytest.fixture
def noisy(rng):
    """(64, 80) uint8: a step, a slope and noise of sigma 20."""
    return noisy_of(rng, (64, 80))
