"""Five kinds of images before and after, with what the audit says: the picture docs/domains.jpg.

    python benchmarks/domain_figure.py [docs/domains.jpg]

Real noise: a CT slice that pydicom is tested with (MIT) and a slice of the echo-planar MR that nibabel is tested with
(PDDL). Simulated noise: a radiograph of ellipsoids, 2000 photons a pixel in air; the cell of scikit-image (CC0) under
photon and read noise; its astronaut (public domain) in 16 bits likewise. Presets "ct", "mr", "xray", "microscopy" and
"photo". Needs the groups `bench` and `test`.
"""

import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import nibabel
import numpy as np
import pydicom.data
from skimage import data

import noiseless
from noiseless.noise import Poisson, PoissonGaussian

mpl.use("agg")
import matplotlib.pyplot as plt


def radiograph(side=256):
    """Photons behind a body of ellipsoids with bones in it, and the mean of their number."""
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    bodies = [(0.0, 0.0, 0.42, 0.30, 1.2), (0.0, -0.12, 0.05, 0.42, 0.9), (0.0, 0.10, 0.04, 0.40, 0.8)]
    bodies += [(-0.1 + 0.05 * k, 0.02, 0.012, 0.012, 0.15) for k in range(5)]
    depth = sum(
        weight * np.sqrt(np.clip(1 - ((y - v) / b) ** 2 - ((x - u) / a) ** 2, 0, None)) for v, u, a, b, weight in bodies
    )
    return 2000.0 * np.exp(-depth)


def images():
    """Name, image, clean stored pixels or None, preset, window."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    yield "CT, as scanned", noiseless.read(folder / "CT_small.dcm"), None, "ct", (-200, 300)
    volume = nibabel.load(Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz").dataobj
    plane = np.ascontiguousarray(np.asarray(volume)[:, :, 12, 0].T[10:90, 20:110])
    yield "MR, as scanned", noiseless.from_array(plane), None, "mr", (0, 900)
    photons = radiograph()
    yield "radiograph, simulated", *simulated(photons, Poisson(1.0)), "xray", (0, 2200)
    cell = 8.0 * data.cell()[250:506, 200:456].astype(np.float64)
    yield "micrograph, noise simulated", *simulated(cell, PoissonGaussian(4.0, 20.0)), "microscopy", (300, 1500)
    face = np.moveaxis(data.astronaut()[20:276, 100:356], -1, 0) * 257.0
    yield (
        "photograph of 16 bits, noise simulated",
        *simulated(face, PoissonGaussian(150.0, 600.0)),
        "photo",
        (0, 65535),
    )


def simulated(clean, noise):
    clean = clean if clean.ndim == 3 else clean[np.newaxis]
    noisy = noise.sample(clean, np.random.default_rng(0)).round().clip(0, 65535).astype(np.uint16)
    return noiseless.from_array(noisy, channel_axis=0), clean


def told(restored, clean):
    """What the report says, in a few lines."""
    report = restored.report
    numbers = ", ".join(f"{k} {v:.3g}" for k, v in report["parameters"].items() if isinstance(v, float))
    lines = [f"{report['noise']} noise{', ' + numbers if numbers else ''}", f"confidence {report['confidence']:.2f}"]
    if clean is not None:
        # Of the range of the picture, not of its type: 16 bits are never full.
        peak = float(np.ptp(clean))
        low, high = restored.audit.risk.psnr_interval(peak)
        lines.append(f"predicted {restored.audit.risk.psnr(peak):.1f} dB ({low:.1f} to {high:.1f})")
        lines.append(f"in truth {noiseless.psnr(restored.image.in_stored_units(), clean, data_range=peak):.1f} dB")
    lines += [f"· {warning}" for warning in report["warnings"]] or ["no warnings"]
    return "\n".join("\n  ".join(textwrap.wrap(line, 46)) for line in lines)


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "docs/domains.jpg"
    figure, axes = plt.subplots(5, 4, figsize=(13.5, 16.5), layout="constrained", width_ratios=[1, 1, 1, 0.95])
    for row, (name, image, clean, preset, (low, high)) in zip(axes, images(), strict=True):
        chosen = noiseless.PRESETS[preset]
        # The error under Rician noise cannot be told, nor that of a spectrum that is known so badly.
        recipe = replace(chosen.recipe, predict=preset not in ("ct", "mr"))
        restored = noiseless.restore_image(image, recipe, noise=chosen.noise)
        before, after = (np.moveaxis(one.in_stored_units(), 0, -1).squeeze() for one in (image, restored.image))
        spread = 3 * float(np.std(before - after))
        shown = [((np.clip(one, low, high) - low) / (high - low)) for one in (before, after)]
        shown.append(np.clip((before - after) / (2 * spread) + 0.5, 0, 1))
        for axis, picture, title in zip(row, shown, (name, f"preset {preset}", "what was removed"), strict=False):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axis.set_title(title, fontsize=11)
        row[3].text(0, 1, told(restored, clean), va="top", fontsize=8.5, family="monospace", transform=row[3].transAxes)
        for axis in row:
            axis.axis("off")
        print(name, told(restored, clean).replace("\n", " | "), flush=True)
    figure.savefig(target, dpi=75, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
