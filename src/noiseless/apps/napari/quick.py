"""A command for the menu: denoise the selected layer as it is usual, without the panel."""

from napari.utils.notifications import show_error, show_info, show_warning
from napari.viewer import Viewer

import noiseless
from noiseless.apps.napari import account
from noiseless.apps.napari.background import Outcome, Task
from noiseless.apps.napari.layer_data import is_volume
from noiseless.apps.napari.selected_layer import Order, added, order, selected
from noiseless.apps.napari.wishes import Wishes

_running: list[Task] = []


def denoise_selected(viewer: Viewer) -> None:
    """Denoise the selected image layer in the background, with the usual settings; the result is a new layer."""
    layer = selected(viewer)
    try:
        asked = order(viewer, Wishes(), together=layer is not None and is_volume(layer))
    except noiseless.NoiselessError as error:
        show_error(str(error))
        return

    def ended(outcome: Outcome) -> None:
        _running.remove(task)
        _tell(viewer, asked, outcome)

    task = Task(asked.denoised, shown=lambda _share, _text: None, ended=ended, title=f"denoising {asked.state['name']}")
    _running.append(task)


def _tell(viewer: Viewer, asked: Order, outcome: Outcome) -> None:
    if outcome.refusal:
        show_error(outcome.refusal)
    elif outcome.result is not None:
        added(viewer, asked.layers(outcome.result))
        reports = outcome.result.reports
        show_info(account.summary(reports))
        for text in account.worth_a_notice(reports):
            show_warning(text)
