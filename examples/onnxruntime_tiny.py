"""Denoise one picture with an exported network and onnxruntime alone: noiseless is not needed where this runs.

noiseless export tiny-gray -o tiny-gray.onnx                          # once, anywhere
python onnxruntime_tiny.py tiny-gray.onnx noisy.png clean.png 15      # sigma in grey levels of 255
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

LEVELS = 255  # the network is made for values from 0 to 1


def denoise(session: onnxruntime.InferenceSession, picture: np.ndarray, sigma: float) -> np.ndarray:
    """A (Y, X, C) picture of whole numbers from 0 to 255; sigma in the same levels."""
    noisy = np.moveaxis(picture, -1, 0)[np.newaxis].astype(np.float32) / LEVELS
    height, width = picture.shape[:2]
    factor = int(session.get_modelmeta().custom_metadata_map["factor"])
    # Sides must be multiples of the factor: the last row and column are repeated, and cut off again.
    noisy = np.pad(noisy, ((0, 0), (0, 0), (0, -height % factor), (0, -width % factor)), mode="edge")
    levels = np.full_like(noisy, sigma / LEVELS)  # one a pixel: noise may also vary over the picture
    (clean,) = session.run(["denoised"], {"noisy": noisy, "sigma": levels})
    clean = np.moveaxis(clean[0, :, :height, :width], 0, -1)
    return np.clip(np.rint(clean * LEVELS), 0, LEVELS).astype(np.uint8)


def main(model: str, source: str, target: str, sigma: str) -> None:
    """Read, denoise, write."""
    session = onnxruntime.InferenceSession(model, providers=onnxruntime.get_available_providers())
    channels = session.get_inputs()[0].shape[1]
    picture = np.asarray(Image.open(source).convert("L" if channels == 1 else "RGB"))
    clean = denoise(session, picture.reshape(*picture.shape[:2], channels), float(sigma))
    Image.fromarray(clean.reshape(picture.shape)).save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
