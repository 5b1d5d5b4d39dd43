"""Is it worth looking at the frames before? PSNR, ghosts and flicker of video, against frame by frame and peers.

    python benchmarks/video.py CLIP... [--frames 100] [--sigmas 15,25,50] [--colour] [--model base] [--peers] [--blind]
                               [--h264]

White noise of numpy.random.default_rng(0), neither clipped nor rounded (peers, which take 8 bits, get it so). A pixel
has *moved* where the clean clip changes by more than 10 of 255 within 3x3 pixels. *Flicker* is the mean square of
the change of the error from frame to frame where nothing moved, as a part of that of frame by frame. ``--peers``: of
hqdn3d, atadenoise and nlmeans (the program ffmpeg) and OpenCV's non-local means over five frames, each with its best
strength for the clip, on the first 30 frames; ours on the same. ``--h264``: instead of all that, in colour, the noisy
frames go through fast H.264 of high quality first, as those of network cameras do, and nothing is told; PSNR is of the
frames from the twentieth on. Needs the groups `bench` and `test`.
"""

import argparse
import itertools
import subprocess
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
from scipy.ndimage import uniform_filter

import noiseless
from noiseless.score import NetworkDenoiser

PEER_FRAMES = 30


def clip_of(path, frames, *, colour):
    """(frames, C, Y, X) in 0 to 255."""
    with av.open(str(path)) as container:
        decoded = itertools.islice(container.decode(video=0), frames)
        arrays = [frame.to_ndarray(format="rgb24" if colour else "gray") for frame in decoded]
    return np.stack([np.moveaxis(a, -1, 0) if colour else a[None] for a in arrays]).astype(np.float32)


def moved_of(clip):
    first = np.zeros(clip.shape[2:], bool)
    later = [uniform_filter(np.abs(after - before).max(axis=0), 3) > 10.0 for before, after in itertools.pairwise(clip)]
    return np.stack([first, *later])


def psnr(image, clean):
    return 10 * np.log10(255**2 / np.mean((np.clip(image, 0, 255) - clean) ** 2))


def flicker(result, clip, moved):
    change = np.diff(result - clip, axis=0) ** 2
    return float(np.mean(np.moveaxis(change, 1, -1)[~moved[1:]]))


def of_moved(result, clip, moved):
    pick = np.moveaxis(result, 1, -1)[moved], np.moveaxis(clip, 1, -1)[moved]
    return psnr(*pick) if moved.any() else float("nan")


def mean_psnr(result, clip):
    return float(np.mean([psnr(image, clean) for image, clean in zip(result, clip, strict=True)]))


def frame_by_frame(noisy, sigma, model):
    network = NetworkDenoiser(model)
    return np.stack([255 * network(frame / np.float32(255), sigma / 255) for frame in noisy])


def over_time(noisy, sigma, model):
    denoiser = noiseless.TemporalDenoiser(sigma=None if sigma is None else sigma / 255, model=model)
    return np.stack([255 * denoiser.push(frame / np.float32(255)) for frame in noisy]), denoiser.report()


def filtered(frames, description):
    """8-bit frames through a filter of ffmpeg."""
    colour = frames.shape[1] == 3
    height, width = frames.shape[2:]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24" if colour else "gray"]
    command = ["ffmpeg", "-v", "error", *raw, "-s", f"{width}x{height}", "-i", "-"]
    command += ["-vf", f"format={'gbrp' if colour else 'gray'},{description}", *raw, "-"]
    given = np.ascontiguousarray(np.moveaxis(frames, 1, -1)).tobytes()
    made = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True).stdout
    shape = len(frames), height, width, frames.shape[1]
    return np.moveaxis(np.frombuffer(made, np.uint8).reshape(shape), -1, 1).astype(np.float32)


def opencv(frames, strength):
    pictures = [
        np.ascontiguousarray(np.moveaxis(frame, 0, -1)[..., ::-1] if len(frame) == 3 else frame[0]) for frame in frames
    ]
    done = []
    for index in range(len(pictures)):
        window = min(5, 2 * min(index, len(pictures) - 1 - index) + 1)
        if len(frames[0]) == 3:
            result = cv2.fastNlMeansDenoisingColoredMulti(pictures, index, window, None, strength, strength, 7, 21)
            done.append(np.moveaxis(result[..., ::-1], -1, 0))
        else:
            done.append(cv2.fastNlMeansDenoisingMulti(pictures, index, window, None, strength, 7, 21)[None])
    return np.stack(done).astype(np.float32)


def peers(sigma):
    for strength in (0.3, 0.6, 1.2, 2.4):
        spatial, temporal = strength * sigma, 1.5 * strength * sigma
        yield "hqdn3d", lambda f, s=spatial, t=temporal: filtered(f, f"hqdn3d={s}:{s}:{t}:{t}")
    for strength in (1.0, 2.0, 4.0):
        a = min(0.3, strength * 1.5 * sigma / 255)
        options = ":".join(f"{plane}a={a}:{plane}b={min(5.0, 4 * a)}" for plane in "012") + ":s=9"
        yield "atadenoise", lambda f, o=options: filtered(f, f"atadenoise={o}")
    for strength in (0.3, 0.45, 0.65, 0.9):
        yield "nlmeans", lambda f, s=strength * sigma: filtered(f, f"nlmeans=s={min(s, 30.0)}:p=7:r=15")
    for strength in (0.7, 0.9, 1.1):
        yield "OpenCV multi", lambda f, s=strength * sigma: opencv(f, s)


def row(name, result, clip, moved, still, seconds):
    part, where_moved = flicker(result, clip, moved) / still, of_moved(result, clip, moved)
    print(f"| {name} | {mean_psnr(result, clip):.2f} | {where_moved:.2f} | {part:.3f} | {seconds:.3f} |", flush=True)


def compare(path, arguments, sigma):
    clip = clip_of(path, arguments.frames, colour=arguments.colour)
    rng = np.random.default_rng(0)
    noisy = np.stack([frame + sigma * rng.standard_normal(frame.shape) for frame in clip]).astype(np.float32)
    moved = moved_of(clip)
    count, channels, height, width = clip.shape
    size = f"{count} frames of {width}x{height}, {channels} channels"
    print(f"\n{Path(path).name}: {size}, sigma {sigma}; moved: {moved.mean():.3f}\n")
    print("| method | PSNR | moved pixels | flicker | s a frame |\n| --- | --- | --- | --- | --- |")
    start = time.perf_counter()
    single = frame_by_frame(noisy, sigma, arguments.model)
    seconds = (time.perf_counter() - start) / count
    still = flicker(single, clip, moved)
    row(f"{arguments.model}, frame by frame", single, clip, moved, still, seconds)
    for told in (sigma, None) if arguments.blind else (sigma,):
        start = time.perf_counter()
        result, report = over_time(noisy, told, arguments.model)
        seconds = (time.perf_counter() - start) / count
        found = "" if told else f", sigma found {', '.join(f'{255 * s:.1f}' for s in report['noise']['sigma'])}"
        row(f"{arguments.model}, over time{found}", result, clip, moved, still, seconds)
    if arguments.peers:
        against_peers(clip[:PEER_FRAMES], noisy[:PEER_FRAMES], single, moved[:PEER_FRAMES], sigma, arguments.model)


def against_peers(clip, noisy, single, moved, sigma, model):
    still = flicker(single[: len(clip)], clip, moved)
    result, _ = over_time(noisy, sigma, model)
    row(f"{model}, over time, first {len(clip)}", result, clip, moved, still, float("nan"))
    stored = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    for name, group in itertools.groupby(peers(sigma), lambda pair: pair[0]):
        results = []
        for _, run in group:
            start = time.perf_counter()
            results.append((run(stored), (time.perf_counter() - start) / len(clip)))
        best = max(results, key=lambda each: mean_psnr(each[0], clip))
        row(name, best[0], clip, moved, still, best[1])


def through_h264(frames):
    """(frames, 3, Y, X) in 0 to 255, encoded and decoded, by the conversions of the files room."""
    height, width = frames.shape[2:]
    raw = np.ascontiguousarray(np.moveaxis(np.clip(np.rint(frames), 0, 255).astype(np.uint8), 1, -1)).tobytes()
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-i",
        "-",
    ]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mkv"
        subprocess.run([*command, str(path)], input=raw, check=True)
        with noiseless.files.open_video(path) as video:
            return np.stack([np.moveaxis(frame.pixels, -1, 0) for frame in video]).astype(np.float32)


def compare_compressed(path, arguments, sigma):
    clip = clip_of(path, arguments.frames, colour=True)
    noisy = through_h264(clip + sigma * np.random.default_rng(0).standard_normal(clip.shape))
    late = slice(20, None)
    result, report = over_time(noisy, None, arguments.model)
    found = np.array(noiseless.noise.estimate_sigma_per_channel(noisy[20]))[:, np.newaxis, np.newaxis] / 255
    network = NetworkDenoiser(arguments.model)
    single = np.stack([255 * network(frame / np.float32(255), found.astype(np.float32)) for frame in noisy[late]])
    print(
        f"{Path(path).name}, sigma {sigma} through H.264: noisy {mean_psnr(noisy[late], clip[late]):.2f} dB,", end=" "
    )
    print(f"{arguments.model} frame by frame {mean_psnr(single, clip[late]):.2f} dB,", end=" ")
    told = ", ".join(f"{255 * level:.1f}" for level in report["noise"]["sigma"])
    print(f"over time {mean_psnr(result[late], clip[late]):.2f} dB, sigma found {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--sigmas", default="15,25,50")
    parser.add_argument("--model", default="base")
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--h264", action="store_true")
    arguments = parser.parse_args()
    for path in arguments.clips:
        for sigma in (float(part) for part in arguments.sigmas.split(",")):
            (compare_compressed if arguments.h264 else compare)(path, arguments, sigma)


if __name__ == "__main__":
    main()
