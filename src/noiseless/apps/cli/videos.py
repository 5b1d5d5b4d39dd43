"""Videos from the command line: frame by frame, each with what was learned from those before it."""

import math
import time
from collections.abc import Callable, Collection
from typing import Annotated, Any, TypeAlias

import numpy as np
import typer
from numpy.typing import NDArray

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.jobs import Job

Codec: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Of videos: h264, hevc, av1, vp9, mpeg4, prores, ffv1 (lossless). [that of the source]"),
]
Quality: TypeAlias = Annotated[
    int | None, typer.Option(help="Of videos, as CRF: less is better and larger. [16 for h264, the like for others]")
]

OF_IMAGES = ("samples", "plot", "error", "predict", "steps", "sampler", "budget", "bound", "tile", "memory", "device")
"""Options that say what is done with a picture as a whole."""

Progress: TypeAlias = Callable[[float, str], None]


def is_video(job: Job) -> bool:
    """Whether a job is a video, by the name of its file."""
    return len(job.sources) == 1 and noiseless.files.is_video(job.sources[0])


def check_options(jobs: Collection[Job], given: Collection[str], recipe: Any, noise: Any) -> None:
    """Refuse what does not go with videos, or only with them.

    Parameters
    ----------
    given : names of the options on the command line
    recipe, noise : what they say, with what a preset or a file says

    Raises
    ------
    noiseless.InvalidParameter : the option, and what to do instead.
    """
    videos = [job for job in jobs if is_video(job)]
    if not videos:
        for name in ("codec", "quality"):
            if name in given:
                raise noiseless.InvalidParameter(f"--{name} is for videos, and no input is one; leave it out")
        return
    name = videos[0].name
    asked = {"steps": recipe.steps > 1, "samples": recipe.samples, "error": recipe.error, "predict": recipe.predict}
    for option in OF_IMAGES:
        if option in given or asked.get(option) or (option == "budget" and recipe.budget_s):
            raise noiseless.InvalidParameter(f"--{option} is for images, and {name!r} is a video; leave it out")
    console.check_frames(recipe, noise, name, "video")


def denoise_video(
    job: Job,
    recipe: Any,
    noise: Any,
    *,
    codec: str | None,
    quality: int | None,
    force: bool,
    progress: Progress,
) -> dict[str, Any]:
    """Denoise a video, or go on where an earlier run with the same options was broken off.

    Parameters
    ----------
    noise : of which sigma is in grey levels of the video: of 255 with 8 bits, of 1023 with 10; or None
    progress : told the share that is done, and what to say of it

    Returns
    -------
    What was done, in plain values; sigma in grey levels.
    """
    began = time.perf_counter()
    with noiseless.files.open_video(job.sources[0]) as video:
        levels = float(2**video.bits - 1)
        sigma = _sigma(noise, levels)
        denoiser = noiseless.TemporalDenoiser(sigma=sigma, model=recipe.model, strength=recipe.strength)
        settings = f"noiseless {noiseless.__version__}, {sigma}, {recipe.model}, {recipe.strength:g}"
        with noiseless.files.create_video(
            job.targets[0],
            video,
            codec=codec,
            quality=quality,
            overwrite=force,
            settings=settings,
            state=denoiser.state,
        ) as writer:
            if writer.state is not None:
                denoiser.resume(writer.state)
            for number, frame in enumerate(video):
                if number < writer.done:
                    continue
                writer.write(_pixels(denoiser.push(_planes(frame.pixels)), frame.pixels), frame.time)
                progress(*_told(writer.frames, writer.done, video, job.name, time.perf_counter() - began))
            found = _in_levels(denoiser.report(), levels)
            writer.comment = f"noiseless {noiseless.__version__}: removed noise ({_law(found)}) by {recipe.model}"
        seconds = time.perf_counter() - began
        return {
            "input": job.name,
            "output": job.result,
            "video": {"width": video.width, "height": video.height, "bits": video.bits, "damaged": video.damaged},
            **found,
            "frames": writer.frames,
            "resumed_at": writer.done,
            "model": recipe.model,
            "strength": recipe.strength,
            "seconds": round(seconds, 3),
            "frames_per_second": round((writer.frames - writer.done) / seconds, 3),
        }


def in_words(report: dict[str, Any]) -> str:
    """The report of a video, for people."""
    done = f"{report['frames']} frames"
    if report["resumed_at"]:
        done += f", the first {report['resumed_at']} of them by an earlier run"
    cuts = f", {report['cuts']} cuts" if report.get("cuts") else ""
    speed = f"{report['seconds']:.1f} s, {report['frames_per_second']:.3g} frames a second"
    return f"{report['output']}: {_law(report)}, {done}{cuts}, {speed}"


def _sigma(noise: Any, levels: float) -> float | tuple[float, ...] | None:
    """As a share of the full range."""
    if noise is None or isinstance(noise, str):
        return None
    sigmas = np.ravel(noise.sigma) / levels
    return float(sigmas[0]) if len(sigmas) == 1 else tuple(float(sigma) for sigma in sigmas)


def _planes(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """(C, Y, X), nominal range [0, 1]."""
    planes = pixels[np.newaxis] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return np.ascontiguousarray(planes, dtype=np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _pixels(clean: NDArray[np.float32], like: NDArray[Any]) -> NDArray[Any]:
    top = np.iinfo(like.dtype).max
    stored = np.clip(np.rint(np.asarray(clean, np.float32) * np.float32(top)), 0, top).astype(like.dtype)
    return stored[0] if like.ndim == 2 else np.ascontiguousarray(np.moveaxis(stored, 0, -1))


def _told(frames: int, before: int, video: Any, name: str, seconds: float) -> tuple[float, str]:
    """The share that is done, and the speed in words."""
    speed = f"{(frames - before) / max(seconds, 1e-9):.3g} frames a second"
    if not video.frames:
        return 0.0, f"{name}: {frames} frames, {speed}"
    return min(frames / video.frames, 1.0), f"{name}: {frames} of {video.frames} frames, {speed}"


def _in_levels(report: dict[str, Any], levels: float) -> dict[str, Any]:
    """With the noise in grey levels of the video."""
    noise = report["noise"]
    sigma = np.atleast_1d(np.asarray(noise["sigma"], dtype=np.float64)) * levels
    return {**report, "noise": {**noise, "sigma": [round(float(level), 4) for level in sigma], "levels": levels}}


def _law(report: dict[str, Any]) -> str:
    noise = report["noise"]
    shown = sorted({f"{level:.3g}" for level in noise["sigma"] if math.isfinite(level)}) or ["unknown"]
    sigma = " ".join(f"{level:.3g}" for level in noise["sigma"]) if len(shown) > 1 else shown[0]
    return f"{noise['kind']}, sigma {sigma} of {noise['levels']:g}"
