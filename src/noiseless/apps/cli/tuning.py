"""``noiseless tune``: a recipe for these images, by the error that they tell themselves."""

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import completion, console, figure, tuning_figure
from noiseless.apps.cli.sources import sources_of
from noiseless.apps.work import noise_as_said


def tune(  # noqa: PLR0913  one parameter an option
    inputs: Annotated[list[str], typer.Argument(help="Noisy files, folders or patterns that are to share a recipe.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Recipe to write, recipe.toml.")] = None,
    method: console.Method = "auto",
    model: console.Model = "base",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", help="time=2..20 for a range, patch=3,5,7 for a choice; may be repeated."),
    ] = None,
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    risk: Annotated[
        str,
        typer.Option(
            help="stein: by the law of the noise. self-supervised: by guessing hidden pixels.",
            autocompletion=completion.risks,
        ),
    ] = "stein",
    budget: Annotated[float, typer.Option(help="Seconds after which the best so far is taken.")] = 60.0,
    side: Annotated[int, typer.Option(help="Of the part of each image that is tuned on, in pixels.")] = 256,
    folds: Annotated[int, typer.Option(help="Of the cross-validation over several images.")] = 5,
    plot: Annotated[Path | None, typer.Option(help="Picture of all that was tried.")] = None,
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Tune a method on noisy images, without a clean one; denoise --recipe takes the result.

    Each image is judged on the part that is most like the whole. Over several images, cross-validation says how much
    better one comes out that was not tuned on. The recipe keeps all that was tried.
    """
    if plot is not None:
        figure.check(plot)
    for target in (output, plot):
        if target is not None:
            noiseless.files.check_new(target, overwrite=force)
    given = noise_as_said(sigma, noise)
    images = [noiseless.read(source) for text in inputs for source in sources_of(text)]
    tuned = noiseless.tune(
        method, images, _parameters(parameter), risk, budget,
        noise=given, model=model, side=side, folds=folds, seed=seed,
    )  # fmt: skip
    if output is not None:
        text = noiseless.restoration.recipe_text(tuned.recipe, given, tuned.summary())
        with noiseless.files.replacing(output, overwrite=force) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if plot is not None:
        tuning_figure.draw(tuned, plot, overwrite=force)
    _tell(tuned, method, as_json=as_json)


def _parameters(listed: list[str] | None) -> dict[str, Any] | None:
    """What ``-p`` says: ``time=2..20`` is a range, ``patch=3,5,7`` a choice."""
    if not listed:
        return None
    found: dict[str, Any] = {}
    for text in listed:
        name, _, domain = (part.strip() for part in text.partition("="))
        low, dots, high = domain.partition("..")
        try:
            found[name] = (float(low), float(high)) if dots else [_value(item.strip()) for item in domain.split(",")]
        except ValueError:
            raise noiseless.InvalidParameter(f"{text!r} names no range; write time=2..20, or patch=3,5,7") from None
        if not name or not all(domain.split(",")):
            raise noiseless.InvalidParameter(f"{text!r} is no parameter; write time=2..20, or patch=3,5,7")
    return found


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _tell(tuned: Any, method: str, *, as_json: bool) -> None:
    if as_json:
        console.record({"method": tuned.recipe.method, "strength": tuned.recipe.strength, **tuned.summary()})
        return
    values = ", ".join(f"{name} {value}" for name, value in tuned.values.items())
    typer.echo(f"{method}: {values or 'as it was, nothing tried was better'} ({len(tuned.trials)} trials)")
    summary = tuned.summary()
    where = "on images left out" if tuned.gain.cross_validated else "on the image itself"
    if "gain_db" in summary:
        low, high = summary["gain_db_interval"]
        typer.echo(f"gain {where}: {summary['gain_db']:+.2f} dB, from {low:+.2f} to {high:+.2f} (95 %)")
    else:
        low, high = tuned.gain.interval
        typer.echo(f"error {where} less by {tuned.gain.fall:.3g} of the noise, from {low:.3g} to {high:.3g} (95 %)")
    if tuned.values and not tuned.gain.sure:
        console.note("  warning: that may be chance; more images would tell")
    if not tuned.finished:
        console.note("  warning: the time was over before the search was; give a larger --budget")
