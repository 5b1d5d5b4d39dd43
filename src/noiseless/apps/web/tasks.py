"""What workers do: read an upload, denoise it, make the example. Files in, files and plain values out."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

import noiseless
from noiseless.apps import work
from noiseless.apps.report import image_report, write_report
from noiseless.apps.viewer import pictures, words
from noiseless.apps.web.limits import check_memory
from noiseless.apps.web.pyramids import TILE, levels_of, planes_of, write_pyramid
from noiseless.apps.web.settings import recipe_of

if TYPE_CHECKING:
    from noiseless.apps.web.processes import Start

Message: TypeAlias = dict[str, Any]

Progress: TypeAlias = Callable[[float, str], None]

Found: TypeAlias = Callable[[dict[str, Any]], None]
"""Told what may be told before the task has ended."""

EXAMPLE = Path(__file__).with_name("example.jpg")
# Eileen Collins, photographed by NASA, in the public domain: a part of the picture "astronaut" of scikit-image, at
# quality 95. Its levels 0 to 255 were brought to 35 to 220, so that noise is hardly cut off at either end.

EXAMPLE_SIGMA, EXAMPLE_SEED = 25.0, 0


def warm_up(start: "Start") -> None:
    """Load what the first task would have to wait for."""
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        image = noiseless.Image(rng.random((channels, 64, 64), np.float32), scale=255.0, stored_dtype="uint8")
        noise = noiseless.noise.Gaussian(25.0)
        noiseless.restore_image(image, noise=noise, device=start.device)


def read(message: Message, start: "Start", progress: Progress, found: Found) -> dict[str, Any]:
    """Read an upload, and say what it is; what a picture shows first, as to find its noise takes longer."""
    source, folder = Path(message["upload"]), Path(message["folder"])
    progress(0.0, "reading the file")
    if message["kind"] == "video":
        with noiseless.files.open_video(source) as video:
            return {"kind": "video", "description": _plain_values(video.described())}
    if message["kind"] == "bag":
        return {"kind": "bag", "description": _described_bag(source)}
    with noiseless.files.allowing(start.pixels):
        image = noiseless.read(source)
    check_memory(image.pixels.size, start.memory_bytes)
    described = {"format": noiseless.files.format_of(source).name, **noiseless.files.described(image)}
    planes = planes_of(image.stored())
    write_pyramid(planes, folder / "noisy")
    picture = _picture(planes, described)
    told = _plain_values({"kind": "image", "description": described, "picture": picture})
    found(told)
    progress(0.5, "finding the noise")
    try:
        noise = noiseless.noise.estimate_image_noise(image).summary()
    except noiseless.NoiselessError as error:
        noise = {"noise": "unknown", "confidence": 0.0, "trust": "none", "reason": str(error), "warnings": []}
    return told | {"noise": plain(noise)}


def make_example(message: Message, start: "Start", progress: Progress, found: Found) -> dict[str, Any]:
    """A clean photograph with noise of a known strength, as if it had been uploaded."""
    folder = Path(message["folder"])
    clean = noiseless.read(EXAMPLE)
    grain = np.random.default_rng(EXAMPLE_SEED).standard_normal(clean.pixels.shape, np.float32)
    pixels = clean.pixels + np.float32(EXAMPLE_SIGMA / clean.scale) * grain
    noisy = noiseless.Image(pixels, scale=clean.scale, offset=clean.offset, stored_dtype="uint8")
    noiseless.write(noisy, message["upload"])
    np.save(folder / "clean.npy", clean.stored())
    return {**read(message, start, progress, found), "bytes": Path(message["upload"]).stat().st_size}


def denoise(message: Message, start: "Start", progress: Progress, found: Found) -> dict[str, Any]:
    """Denoise an upload; its result is of the same kind, in the folder of the job."""
    del found  # a result is told as a whole
    source, folder = Path(message["upload"]), Path(message["folder"])
    recipe, noise = recipe_of(message["settings"])
    began = {"video": _denoise_video, "bag": _denoise_bag, "image": _denoise_image}[message["kind"]]
    with noiseless.files.allowing(start.pixels):
        return _plain_values(began(message, source, folder, work.Settings(
            recipe, noise, work.limits_of(None, 1), start.device, max_pixels=start.pixels), progress))  # fmt: skip


def _denoise_image(
    message: Message, source: Path, folder: Path, settings: work.Settings, progress: Progress
) -> dict[str, Any]:
    suffix = noiseless.files.suffix_of_result(source) or noiseless.files.format_of(source).suffixes[0]
    target = folder / f"result{suffix}"
    done = work.denoise_image(work.Job((source,), (target,)), settings, force=False, progress=progress)
    noisy, restored = done.noisy, done.restored
    report = {"file": message["name"], **restored.report}
    before, after = planes_of(noisy.stored()), planes_of(restored.image.stored())
    write_pyramid(after, folder / "denoised")
    height, width = after.shape[-2:]
    removed = np.subtract(before, after, dtype=np.float32).mean(axis=1)
    limits = {"removed": pictures.limit_of(removed), "error": None, "structure": None}
    if restored.error is not None:
        half = planes_of(np.asarray(restored.error.half68, np.float32))
        error = np.sqrt(np.mean(np.square(half), axis=1, keepdims=True))
        write_pyramid(error, folder / "error")
        limits["error"] = pictures.limit_of(error)
    if restored.audit.structure is not None:
        scores = restored.audit.structure
        z = scores.z if scores.z.ndim == 3 else scores.z[np.newaxis]
        np.save(folder / "structure.npy", z.astype(np.float32))
        # What noise may reach is the middle of the colours.
        limits["structure"] = 2.0 * scores.limit
    told = {
        **_written(folder, target, report),
        "headline": words.headline(report, message["unit"]),
        "findings": [asdict(finding) for finding in words.findings(report)],
        "limits": limits,
        "levels": levels_of(height, width),
    }
    if message["page"]:
        progress(1.0, "writing the report")
        page = image_report(noisy, restored, name=message["name"], sources=(source,), outputs=(target,))
        write_report(page, folder / "report.html")
    clean = Path(message["upload"]).with_name("clean.npy")
    if clean.is_file():
        truth = np.load(clean, allow_pickle=False).astype(np.float32)
        values = {"noisy": noisy, "denoised": restored.image}
        told["true_psnr"] = {name: noiseless.psnr(image.stored(), truth) for name, image in values.items()}
    return told


def _denoise_video(
    message: Message, source: Path, folder: Path, settings: work.Settings, progress: Progress
) -> dict[str, Any]:
    target = folder / f"result{noiseless.files.suffix_of_video_result(source)}"

    def told(share: float, text: str) -> None:
        progress(share, text.replace(str(source), message["name"]))

    report = work.denoise_video(
        work.Job((source,), (target,)), settings.recipe, settings.noise, codec=None, quality=None, force=False,
        progress=told,
    )  # fmt: skip
    shown = {**report, "input": message["name"], "output": f"result{target.suffix}"}
    frames, noise = report["frames"], work.law_of_video(report)
    return {**_written(folder, target, shown), "headline": f"Noise was removed from {frames} frames ({noise})."}


def _denoise_bag(
    message: Message, source: Path, folder: Path, settings: work.Settings, progress: Progress
) -> dict[str, Any]:
    target = folder / f"result{source.suffix}"
    noise, recipe = settings.noise, settings.recipe
    sigma = float(noise.sigma) if isinstance(noise, noiseless.noise.Gaussian) else None
    reports = work.denoise_bag(
        source, target, sigma=sigma, model=recipe.model, strength=recipe.strength,
        progress=lambda share: progress(share, "removing the noise"),
    )  # fmt: skip
    shown = [{**report, "input": message["name"], "output": target.name} for report in reports]
    frames = sum(report["frames"] for report in reports)
    told = _written(folder, target, {"topics": shown, "frames": frames, "version": noiseless.__version__})
    return {**told, "headline": f"Noise was removed from {frames} frames of {len(reports)} topics."}


def _written(folder: Path, target: Path, report: dict[str, Any]) -> dict[str, Any]:
    """The report on disk, and what every job tells."""
    report = _plain_values(report)
    (folder / "report.json").write_text(json.dumps(report, indent=1, allow_nan=False), encoding="utf-8")
    suffix = noiseless.files.suffix_of(target) or target.suffix
    return {"report": report, "findings": [], "suffix": suffix, "bytes": target.stat().st_size}


def _described_bag(source: Path) -> dict[str, Any]:
    with noiseless.files.open_bag(source) as bag:
        return {
            "format": "ROS bag",
            "topics": [{"name": topic.name, "encoding": topic.encoding, "count": topic.count} for topic in bag.topics],
        }


def _picture(planes: Any, described: dict[str, Any]) -> dict[str, Any]:
    slices, channels, height, width = planes.shape
    modality = described["stored"].get("modality", "")
    whole = np.issubdtype(planes.dtype, np.integer)
    return {
        "width": width,
        "height": height,
        "slices": slices,
        "channels": channels,
        "tile": TILE,
        "levels": levels_of(height, width),
        "window": list(pictures.display_window(planes)),
        "range": [described["min"], described["max"]],
        "dtype": described["dtype"],
        "unit": "HU" if modality == "CT" else "grey levels" if whole else "",
    }


def plain(value: Any) -> Any:
    """Values that JSON holds: what is not finite becomes null, and what is no plain value its text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def _plain_values(values: dict[str, Any]) -> dict[str, Any]:
    """The same for a whole answer."""
    answer: dict[str, Any] = plain(values)
    return answer


TASKS: dict[str, Callable[..., dict[str, Any]]] = {"read": read, "example": make_example, "denoise": denoise}
"""By the word of a message."""
