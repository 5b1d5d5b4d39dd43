"""A video, frame by frame, each with what was learned from those before it."""

import math
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.work.job import Job

Progress: TypeAlias = Callable[[float, str], None]


def is_video(job: Job) -> bool:
    """Whether a job is a video, by the name of its file."""
    return len(job.sources) == 1 and noiseless.files.is_video(job.sources[0])


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
            writer.comment = (
                f"noiseless {noiseless.__version__}: removed noise ({law_of_video(found)}) by {recipe.model}"
            )
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


def law_of_video(report: dict[str, Any]) -> str:
    """The noise of a report, for people."""
    noise = report["noise"]
    shown = sorted({f"{level:.3g}" for level in noise["sigma"] if math.isfinite(level)}) or ["unknown"]
    sigma = " ".join(f"{level:.3g}" for level in noise["sigma"]) if len(shown) > 1 else shown[0]
    return f"{noise['kind']}, sigma {sigma} of {noise['levels']:g}"


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
