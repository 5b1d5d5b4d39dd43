"""``noiseless bench``: quality, time and memory of methods side by side, under one protocol."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import noiseless
from noiseless.apps import report as pages
from noiseless.apps.cli import benchmark_memory, console
from noiseless.apps.cli.benchmark_methods import named_methods
from noiseless.apps.cli.benchmark_page import machine_line, page_of, said
from noiseless.apps.cli.benchmark_record import Change, changes, read_record, record_of, same_machine, write_record
from noiseless.apps.cli.benchmark_run import Plan, Row, images_of, measured

OF_THE_RECORD = ("sets", "sigmas", "methods", "model", "every")
"""Options that a run which is held against a record takes from there."""


def bench(  # noqa: PLR0913
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with one folder of clean images for each set.")],
    sets: Annotated[str, typer.Option(help="Sets to run, separated by commas.")] = "Set12,BSD68,CBSD68,Kodak24",
    sigmas: Annotated[str, typer.Option(help="Noise levels of 255, separated by commas.")] = "15,25,50",
    methods: Annotated[
        str,
        typer.Option(
            help="Methods, separated by commas: such as heat, score, score:model=tiny; skimage-nlm, skimage-tv, "
            "skimage-wavelet, opencv-nlm, opencv-bilateral, itk-gradient, itk-curvature, bm3d; or peers: all of these "
            "others that are installed."
        ),
    ] = "heat,perona-malik,score",
    model: console.Model = "base",
    every: Annotated[int, typer.Option(help="Use every n-th image only.", min=1)] = 1,
    only_quality: Annotated[  # noqa: FBT002
        bool, typer.Option("--only-quality", help="No times: for machines that do other work too.")
    ] = False,
    peak_memory: Annotated[  # noqa: FBT002
        bool, typer.Option("--peak-memory", help="Measure memory too, each method in a process of its own.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="JSON file to write: figures, machine, versions, commit.", dir_okay=False)
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Measure what is in such a file again, and exit with 1 where it got worse.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="HTML page to write: tables, and quality against cost.")] = None,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Measure methods on clean test images.

    White Gaussian noise from numpy.random.default_rng(0), fresh for each image, on float values of 0 to 255, neither
    clipped nor rounded; results clipped to 0 to 255; PSNR and SSIM are means over images. Time is wall time of the
    whole call with all cores, the least of up to seven runs for what is short; methods take turns image by image.
    Methods of other packages are told sigma, and have one constant each.

    --check takes sets, levels and methods from the record. Worse is a PSNR more than 0.03 dB lower, or a time more
    than 15 % longer: by the time of a product of matrices in the same run, and by that of score too if it is not score
    itself. Times count only where processor and threads are those of the record.
    """
    before: list[Row] = []
    if check is None:
        plan = Plan(
            tuple(dict.fromkeys(name.strip() for name in sets.split(","))),
            tuple(dict.fromkeys(_level(text) for text in sigmas.split(","))),
            named_methods(methods),
            model,
            every,
        )
    else:
        if given := [name for name in OF_THE_RECORD if console.was_given(context, name)]:
            raise noiseless.InvalidParameter(f"--{given[0]} contradicts --check, which takes it from {str(check)!r}")
        old, plan, before = read_record(check)
        named_methods(",".join(plan.methods))
    plan = replace(plan, only_quality=only_quality or plan.only_quality, peak_memory=peak_memory)
    _refuse_early(plan, record, page, force=force)
    rows = _told(plan, folder, as_json=as_json)
    new = record_of(plan, rows)
    if not as_json:
        typer.echo(machine_line(new))
    moved = None
    if check is not None:
        alike = same_machine(old["machine"], new["machine"])
        moved = changes(before, rows, timed=alike)
        _tell_changes(moved, len(rows), alike=alike or plan.only_quality, as_json=as_json)
    if record is not None:
        write_record(new, record, overwrite=force)
    if page is not None:
        pages.write_report(page_of(new, rows, moved), page, overwrite=force)
    if any(change.worse for change in moved or ()):
        raise typer.Exit(1)


def _level(text: str) -> float:
    try:
        sigma = float(text)
    except ValueError:
        raise noiseless.InvalidParameter(f"{text!r} is not a noise level; use numbers such as 15,25,50") from None
    if not 0.0 < sigma < float("inf"):
        raise noiseless.InvalidParameter(f"a noise level is {sigma:g}; use numbers above 0, such as 15,25,50")
    return sigma


def _refuse_early(plan: Plan, record: Path | None, page: Path | None, *, force: bool) -> None:
    """What could not be written or measured after the work."""
    if plan.peak_memory:
        benchmark_memory.check_measurable()
    if page is not None:
        pages.check(page)
    for path in (record, page):
        if path is not None and path.exists() and not force:
            raise noiseless.UnwritableFile(f"{str(path)!r} exists; replace it with --force or choose another name")
        if path is not None and not path.parent.is_dir():
            raise noiseless.UnwritableFile(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")


def _told(plan: Plan, folder: Path, *, as_json: bool) -> list[Row]:
    """All rows, each set told when it is done."""
    loaded = {name: images_of(folder / name, every=plan.every) for name in plan.sets}
    wide = max(14, *map(len, plan.methods))
    if not as_json:
        figures = "PSNR dB / SSIM" + ("" if plan.only_quality else " / seconds a megapixel")
        costs = f"; at sigma {plan.middle:g}: times the time of score" * (not plan.only_quality)
        typer.echo(figures + costs + ", MiB a megapixel" * plan.peak_memory)
        heads = "".join(f"{f'sigma {sigma:g}':>24}" for sigma in plan.sigmas)
        typer.echo(
            f"{'set':<9} {'method':<{wide}}{heads}"
            + f"{'x score':>9}" * (not plan.only_quality)
            + f"{'MiB/MP':>9}" * plan.peak_memory
        )
    rows = []
    with console.progress("bench") as bar:
        for found in measured(plan, loaded, bar.update):
            rows += found
            for method in plan.methods:
                mine = [row for row in found if row.method == method]
                if as_json:
                    for row in mine:
                        console.record(vars(row))
                else:
                    console.say(_line(mine, plan, wide))
    return rows


def _line(rows: Sequence[Row], plan: Plan, wide: int) -> str:
    """A method on a set."""
    cells = ""
    for row in rows:
        seconds = "" if row.seconds is None else f" / {said(row.seconds)}"
        cells += f"{f'{row.psnr:.2f} / {row.ssim:.4f}{seconds}':>24}"
    middle = next(row for row in rows if row.sigma == plan.middle)
    cells += f"{said(middle.ratio):>9}" * (not plan.only_quality) + f"{said(middle.memory):>9}" * plan.peak_memory
    return f"{rows[0].set:<9} {rows[0].method:<{wide}}{cells}"


def _tell_changes(moved: Sequence[Change], count: int, *, alike: bool, as_json: bool) -> None:
    if as_json:
        for change in moved:
            console.record({"moved": True, **vars(change)})
        return
    if not alike:
        console.note("times are not compared: the record is of another processor, or of other threads")
    for change in moved:
        unit = "dB" if change.figure == "PSNR" else "products"
        verdict = "WORSE" if change.worse else ""
        where = f"{change.set:<9} {change.method:<24} sigma {change.sigma:<4g}"
        typer.echo(f"{where} {change.figure}: {change.before:.3f} -> {change.after:.3f} {unit} {verdict}".rstrip())
    worse = sum(change.worse for change in moved)
    typer.echo(f"{count} rows held against the record: {len(moved)} figures moved, {worse} of them worse than allowed")
