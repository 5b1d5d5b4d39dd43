"""The panel beside the canvas."""

import html
from collections.abc import Sequence
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, FloatSpinBox, Label, ProgressBar, PushButton, TextEdit
from napari.utils.notifications import show_error, show_info, show_warning
from napari.viewer import Viewer
from qtpy.QtWidgets import QSizePolicy

import noiseless
from noiseless.apps.napari import account, wishes
from noiseless.apps.napari.background import Outcome, Task
from noiseless.apps.napari.layer_data import check_image_layer, described, is_volume
from noiseless.apps.napari.result_layers import layer_of_preview
from noiseless.apps.napari.selected_layer import Order, added, order, selected, without_preview
from noiseless.apps.viewer.words import RESERVE, Finding

APART, TOGETHER = "each by itself", "together, as a volume"

SIGNS = {"good": "✓", "doubt": "?", "bad": "!"}

WIDTH = 300
"""Screen pixels of the panel, at least."""

STRONGEST = 4.0
"""Of the factor on sigma."""

GREATEST = 1e9
"""Sigma that can be told."""


class DenoisePanel(Container):  # type: ignore[misc]  # napari gives the viewer to widgets that are classes
    """Denoise the selected layer: choices, a preview of what is in sight, the whole, and what the checks found."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._gone = viewer, False
        self._task: Task | None = None
        self.layer = Label(value="")
        self.slices = ComboBox(
            label="",
            choices=(APART, TOGETHER),
            tooltip="Whether each picture along the sliders has its own noise, or the last three axes are one volume.",
        )
        self.preset = ComboBox(
            label="preset", choices=wishes.presets(), tooltip="Settings for a field. They show below, to be changed."
        )
        self.method = ComboBox(
            label="method", choices=wishes.methods(), tooltip="auto is the score network, the best for nearly all."
        )
        self.model = ComboBox(
            label="model",
            choices=wishes.models(),
            tooltip="base: best. tiny: several times faster. camera: colour photographs with JPEG over their noise.",
        )
        self.strength = FloatSpinBox(
            label="strength",
            value=1.0,
            min=0.0,
            max=STRONGEST,
            step=0.1,
            tooltip="Below 1 leaves grain, above 1 smooths further.",
        )
        self.noise = ComboBox(
            label="noise",
            choices=wishes.noises(),
            tooltip="auto: found in the image. sigma: as told below. A kind: how strong it is, is found.",
        )
        self.sigma = FloatSpinBox(
            label="sigma", value=25.0, min=0.0, max=GREATEST, tooltip="Standard deviation, in the units of the layer."
        )
        self.error = CheckBox(text="map of the error", tooltip="How far each pixel may be wrong. Takes longer.")
        self.predict = CheckBox(text="predict the PSNR", tooltip="How good the result is. Takes longer.")
        self.structure = CheckBox(
            text="map of structure", tooltip="Where some of the picture went with the noise, if anywhere."
        )
        self.preview_button = PushButton(text="Preview", tooltip="Denoise what is in sight, into a layer for a while.")
        self.denoise_button = PushButton(text="Denoise", tooltip="Denoise the whole layer, in the background.")
        self.cancel_button = PushButton(text="Cancel", enabled=False)
        self.progress = ProgressBar(value=0, min=0, max=100, visible=False)
        self.told = TextEdit(value="")
        self.told.read_only = True
        self.layer.native.setWordWrap(True)
        self.layer.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        choices = [self.slices, self.preset, self.method, self.model, self.strength, self.noise, self.sigma]
        buttons = [self.preview_button, self.denoise_button, self.cancel_button]
        super().__init__(
            widgets=[
                self.layer,
                Container(widgets=choices),
                *(self.error, self.predict, self.structure),
                Container(widgets=buttons, layout="horizontal", labels=False),
                self.progress,
                self.told,
            ],
            labels=False,
        )
        self.native.setMinimumWidth(WIDTH)
        self.slices.label = "slices"  # said again, magicgui makes the labels as wide as the widest
        self.preset.changed.connect(self._take_preset)
        self.noise.changed.connect(self._show_sigma)
        self.preview_button.clicked.connect(self.preview)
        self.denoise_button.clicked.connect(self.denoise)
        self.cancel_button.clicked.connect(self.cancel)
        viewer.layers.selection.events.active.connect(self._show_layer)
        self.native.destroyed.connect(self._leave)
        self._show_sigma()
        self._show_layer()

    @property
    def running(self) -> bool:
        """Whether something is being denoised."""
        return self._task is not None

    def wishes(self) -> wishes.Wishes:
        """What the panel says."""
        return wishes.Wishes(
            self.preset.value,
            self.method.value,
            self.model.value,
            self.strength.value,
            self.noise.value,
            self.sigma.value,
            self.error.value,
            self.predict.value,
            self.structure.value,
        )

    def preview(self) -> None:
        """Denoise what is in sight."""
        asked = self._order()
        if asked is not None:
            self._start(asked, asked.preview, self._show_preview, "preview")

    def denoise(self) -> None:
        """Denoise the layer."""
        asked = self._order()
        if asked is not None:
            self._start(asked, asked.denoised, self._show_result, "denoising")

    def cancel(self) -> None:
        """End what is being done, without a result."""
        if self._task is not None:
            self._task.cancel()
            self._say("Ending ...")

    def _order(self) -> Order | None:
        if self.running:
            return None
        try:
            return order(self._viewer, self.wishes(), together=self.slices.value == TOGETHER)
        except noiseless.NoiselessError as error:
            self._refuse(str(error))
            return None

    def _start(self, asked: Order, work: Any, show: Any, what: str) -> None:
        def ended(outcome: Outcome) -> None:
            self._task = None
            if self._gone:
                return
            self._lock(running=False)
            if outcome.mistake is not None:
                self._say("This is a mistake of noiseless; napari shows its traceback. Nothing was changed.")
            elif outcome.refusal:
                self._refuse(outcome.refusal)
            elif outcome.result is None:
                self._say("Cancelled. Nothing was changed.")
            else:
                show(asked, outcome.result)

        self._lock(running=True)
        self._say("")
        self._task = Task(work, shown=self._show_progress, ended=ended, title=f"{what}: {asked.state['name']}")

    def _show_progress(self, share: float, text: str) -> None:
        if not self._gone and self.running:
            self.progress.value = 100.0 * share
            self._say(f"{text} ..." if text else "")

    def _show_preview(self, asked: Order, result: Any) -> None:
        without_preview(self._viewer)
        added(self._viewer, [layer_of_preview(result, asked.state)])
        rows, columns = result.data.shape[len(asked.index) : len(asked.index) + 2]
        self._account([result.report], f"Preview of {rows} x {columns} pixels. ")

    def _show_result(self, asked: Order, result: Any) -> None:
        without_preview(self._viewer)
        added(self._viewer, asked.layers(result))
        show_info(account.summary(result.reports))
        for text in account.worth_a_notice(result.reports):
            show_warning(text)
        self._account(result.reports)

    def _account(self, reports: Sequence[Any], before: str = "") -> None:
        found = account.gathered(reports)
        lines = [f"<b>{html.escape(before + account.summary(reports))}</b>", *map(_line, found)]
        if found:
            lines.append(html.escape(RESERVE))
        self.told.native.setHtml("".join(f"<p>{line}</p>" for line in lines))

    def _say(self, text: str) -> None:
        self.told.value = text

    def _refuse(self, text: str) -> None:
        self._say(text)
        show_error(text)

    def _lock(self, *, running: bool) -> None:
        """While something runs nothing else can be begun."""
        self.preview_button.enabled = self.denoise_button.enabled = not running
        self.cancel_button.enabled = self.progress.visible = running
        self.progress.value = 0

    def _show_layer(self) -> None:
        layer = selected(self._viewer)
        try:
            check_image_layer(layer)
        except noiseless.NoiselessError as error:
            self.layer.value = str(error)
            self.slices.visible = False
            return
        self.layer.value = f"{layer.name}: {described(layer)}"
        self.slices.visible = layer.ndim > 2
        across = is_volume(layer) or wishes.looks_across(self.preset.value)
        self.slices.value = TOGETHER if across else APART

    def _take_preset(self, name: str) -> None:
        """Show what a preset wishes; what it leaves open stays with its name."""
        wished = wishes.wishes_of(name)
        self.method.value, self.model.value, self.noise.value = wished.method, wished.model, wished.noise
        self.strength.value = wished.strength
        if wishes.looks_across(name):
            self.slices.value = TOGETHER

    def _show_sigma(self) -> None:
        self.sigma.visible = self.noise.value == wishes.SIGMA

    def _leave(self) -> None:
        self._gone = True
        self._viewer.layers.selection.events.active.disconnect(self._show_layer)
        if self._task is not None:
            self._task.cancel()


def _line(finding: Finding) -> str:
    return f"{SIGNS[finding.kind]} {html.escape(finding.text)}"
