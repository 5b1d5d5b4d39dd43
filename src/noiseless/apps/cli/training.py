"""``noiseless train``: a score network from clean images, or from noisy ones alone."""

import math
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import completion, console, figure, training_figure
from noiseless.apps.cli.training_images import images_of

SIGNALLED = 128
"""And the number of the signal that stopped a run: its exit code."""

EXPERTS = "experts"
NOISE_LEVELS = {"lowest_sigma": "low", "highest_sigma": "high"}
# What a recipe calls the bounds of the noise that is added to clean images, in 255ths.


def _take_recipe(context: typer.Context, path: Path | None) -> Path | None:
    """Let a recipe file give what the command line does not; what is no option goes to the settings of training."""
    if path is None:
        return None
    recipe = noiseless.restoration.toml_in(path)
    options = {str(parameter.name) for parameter in context.command.params} - {"data", "output", "recipe", "force"}
    more = {field.name for field in fields(noiseless.score.TrainingSettings)} - options - {"muon_rate", "sigma_law"}
    more |= set(NOISE_LEVELS)
    recipe = {key.replace("-", "_"): value for key, value in recipe.items()}
    unknown = sorted(set(recipe) - options - more)
    if unknown:
        raise noiseless.InvalidParameter(
            f"the recipe {str(path)!r} has {', '.join(unknown)}; it may have {', '.join(sorted(options | more))}"
        )
    context.default_map = {key: value for key, value in recipe.items() if key in options}
    context.meta["settings"] = {key: value for key, value in recipe.items() if key in more}
    return path


def train(  # noqa: PLR0913  one parameter an option
    context: typer.Context,
    data: Annotated[list[str], typer.Argument(help="Images, folders or patterns; stacks count as many images.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Checkpoint to write, model.safetensors.")],
    recipe: Annotated[  # noqa: ARG001  acts when it is parsed
        Path | None,
        typer.Option(help="TOML file with any of these options.", is_eager=True, callback=_take_recipe),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Size: tiny, base (the usual) or large, or that of --start; or experts.",
            autocompletion=completion.sizes,
        ),
    ] = None,
    colour: Annotated[bool, typer.Option("--colour/--gray", help="A network for colour or for gray images.")] = True,  # noqa: FBT002
    objective: Annotated[
        str,
        typer.Option(
            help="score-matching, camera; of noisy images sure, recorrupt, noise2score, noise2noise, blind-spot",
            autocompletion=completion.objectives,
        ),
    ] = "score-matching",
    sigma: console.SigmaOption = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=1)] = 20_000,
    minutes: Annotated[float, typer.Option(help="A limit on the time instead of the steps.")] = math.inf,
    batch: Annotated[int, typer.Option(help="Patches a step.", min=1)] = 16,
    patch: Annotated[int, typer.Option(help="Side of a patch in pixels.", min=8)] = 64,
    rate: Annotated[float, typer.Option(help="Learning rate of the inner kernels (Muon).")] = 0.005,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            "--from",
            help="Checkpoint to begin from, or base, tiny: a shipped one.",
            autocompletion=completion.models,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:n.", autocompletion=completion.devices)] = "cpu",
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the card.")] = "",
    plot: Annotated[Path | None, typer.Option(help="Draw the validation curve: .png, .svg or .pdf.")] = None,
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Train a score network, on clean images or on noisy ones alone.

    The run is stored every minute in OUTPUT.resume, and when it is stopped: the same command goes on from there.
    --model experts fits the explicit density instead, to clean gray images.
    """
    _check_targets(output, plot, force=force)
    card = {"data": ", ".join(Path(text).name for text in data), "licence": licence}
    if model == EXPERTS:
        given = console.was_given(context, "steps")
        _fit_experts(data, output, card, seed=seed, as_json=as_json, **({"steps": steps} if given else {}))
        return
    settings = noiseless.score.TrainingSettings(
        **{
            **_settings(context.meta.get("settings", {})),
            "steps": steps, "minutes": minutes, "batch": batch, "patch": patch, "muon_rate": rate, "seed": seed,
            "objective": objective,
        }
    )  # fmt: skip
    images, levels = images_of(data, objective, channels=3 if colour else 1, sigma=sigma)
    leading = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started, one speaks
    if leading:
        console.note(f"{len(images)} images, {sum(image[0].size for image in images) / 1e6:.0f} megapixels")
    states = noiseless.score.train(
        images, output, model=model, settings=settings, sigma=levels, start=start, device=device, card=card
    )
    with console.progress("train") as bar, closing(states), _asked_to_stop() as asked:
        for state in states:
            _show(state, bar, as_json=as_json)
            if asked:
                break
    if asked:
        console.note(f"stopped at step {state.step}; the same command goes on from {output}.resume")
        raise typer.Exit(SIGNALLED + asked[0])
    if leading:
        # The card has the whole curve, that of a run which was stopped and taken up again too.
        curve = noiseless.score.load(output).card["validation"]
        if plot is not None and curve:
            training_figure.draw(curve, plot, overwrite=force)
        elif plot is not None:
            console.note(f"no validation to draw in {plot}: it takes 20 images or more")
        typer.echo(str(output))


def _settings(recipe: dict[str, Any]) -> dict[str, Any]:
    """Of a recipe: settings as they are, and the law of noise levels from its bounds in 255ths."""
    settings = {key: value for key, value in recipe.items() if key not in NOISE_LEVELS}
    bounds = {NOISE_LEVELS[key]: value / 255.0 for key, value in recipe.items() if key in NOISE_LEVELS}
    return {**settings, "sigma_law": noiseless.score.Uniform(**bounds)} if bounds else settings


def _check_targets(output: Path, plot: Path | None, *, force: bool) -> None:
    """Refuse before the run what would be refused after it."""
    for target in (output, plot):
        if target is not None:
            noiseless.files.check_new(target, overwrite=force)
    if plot is not None:
        figure.check(plot)


def _fit_experts(data: list[str], output: Path, card: dict[str, str], *, as_json: bool, **options: Any) -> None:
    """The explicit density, of gray images; two minutes, so it is not stored on the way."""
    images, _ = images_of(data, "score-matching", channels=1, sigma=None)
    console.note(f"{len(images)} images, {sum(image[0].size for image in images) / 1e6:.0f} megapixels")
    with console.progress("fit") as bar:
        for state in noiseless.score.fit_experts(images, output, card=card, **options):
            bar.update(state.step / state.steps, f"step {state.step}, {state.log_likelihood:.3f} nats a coefficient")
            if as_json and (state.step % 500 == 0 or state.step == state.steps):
                console.record({"step": state.step, "log_likelihood": state.log_likelihood})
    typer.echo(str(output))


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Signals that asked to stop; the step in hand is finished and stored before. A second one is not waited for."""
    asked: list[int] = []
    before = {int(number): signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, frame: Any) -> None:  # noqa: ARG001  as signals are handled
        asked.append(number)
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(state: Any, bar: Any, *, as_json: bool) -> None:
    curve = ", ".join(f"{level}: {value:.2f} dB" for level, value in state.psnr.items())
    bar.update(state.progress, f"step {state.step}, loss {state.loss:.4f}, {state.patches_a_second:.0f} patches/s")
    if state.psnr and as_json:
        console.record({"step": state.step, "seconds": state.elapsed, "loss": state.loss, "psnr": dict(state.psnr)})
    elif state.psnr:
        console.note(
            f"step {state.step}, {state.patches_a_second:.0f} patches/s, {state.remaining / 60:.0f} min to go, "
            f"validation {curve}"
        )
