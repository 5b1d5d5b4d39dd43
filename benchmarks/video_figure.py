"""What a network sees more in a video than in its frames: the picture docs/video.jpg.

    python benchmarks/video_figure.py [docs/video.jpg]

A disc of scikit-image's ``coins`` crosses its ``coffee`` (both CC0 or public domain) while the camera shakes by
fractions of a pixel and the light flickers by 5 %; white noise of sigma 25. Above one frame, below one line of pixels
over time: what stands still must be level, what moves a clean slant. Needs the group `bench`.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import shift
from skimage import data

import noiseless
from noiseless.score import NetworkDenoiser

FRAMES, SIGMA, SHOWN, LINE = 64, 25.0, 50, 130
ROWS, COLUMNS = 200, 300


def clip():
    """(frames, 3, Y, X) in 0 to 255."""
    ground = np.moveaxis(data.coffee(), -1, 0)[:, 90 : 90 + ROWS + 20, 180 : 180 + COLUMNS + 20].astype(np.float32)
    disc = data.coins()[115:165, 42:92].astype(np.float32)
    y, x = np.mgrid[-25:25, -25:25]
    inside = np.clip(24.0 - np.hypot(y, x), 0.0, 1.0).astype(np.float32)
    for number in range(FRAMES):
        frame = ground.copy()
        left = 10 + 4 * number
        place = np.s_[:, 115:165, left : left + 50]
        frame[place] += inside * (disc - frame[place])
        shake = 0.0, 1.5 * np.sin(number / 3.0), 1.5 * np.cos(number / 4.0)
        yield shift(frame, shake, order=3)[:, 10:-10, 10:-10].clip(0, 255) * (1.0 + 0.05 * np.sin(number / 5.0))


def as_picture(planes):
    return Image.fromarray(np.moveaxis(np.clip(np.rint(planes), 0, 255).astype(np.uint8), 0, -1))


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/video.jpg")
    rng = np.random.default_rng(0)
    denoiser, network = noiseless.TemporalDenoiser(sigma=SIGMA / 255), NetworkDenoiser()
    columns = {"noisy": [], "frame by frame": [], "over time": [], "clean": []}
    for clean in clip():
        noisy = (clean + SIGMA * rng.standard_normal(clean.shape)).astype(np.float32)
        columns["noisy"].append(noisy)
        columns["frame by frame"].append(255 * network(noisy / np.float32(255), SIGMA / 255))
        columns["over time"].append(255 * denoiser.push(noisy / np.float32(255)))
        columns["clean"].append(clean)
    gap, head = 6, 16
    sheet = Image.new("RGB", (4 * (COLUMNS + gap) - gap, head + ROWS + gap + 2 * FRAMES), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, frames) in enumerate(columns.items()):
        left = number * (COLUMNS + gap)
        found = np.mean([noiseless.psnr(np.clip(f, 0, 255), c) for f, c in zip(frames, columns["clean"], strict=True)])
        draw.text((left, 2), name if name == "clean" else f"{name}: {found:.2f} dB", fill="black")
        sheet.paste(as_picture(frames[SHOWN]), (left, head))
        over_time = as_picture(np.stack([frame[:, LINE] for frame in frames], axis=1))
        sheet.paste(over_time.resize((COLUMNS, 2 * FRAMES), Image.Resampling.NEAREST), (left, head + ROWS + gap))
        print(f"{name}: {found:.2f} dB")
    sheet.save(target, quality=90)


if __name__ == "__main__":
    main()
