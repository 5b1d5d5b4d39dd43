"""Time of the diffusion filters on one image, against the same steps in plain NumPy, in one run.

    python benchmarks/diffusion_speed.py [--side 2048] [--steps 50]

One thread for the kernel (heat's transforms take all cores); process CPU time, least of the runs, after compilation.
The plain form is the array-agnostic scheme of ``diffusion.stepping``, which torch tensors take.
"""

import argparse
import time

import numpy as np

from noiseless.diffusion import CONDUCTIVITIES, Heat, PeronaMalik
from noiseless.diffusion.stepping import ExplicitScheme, explicit_diffusion, smoothing_for

SIGMA = 0.1


def seconds(function, runs):
    function()  # compiles, or loads what was compiled
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    gray = rng.random((1, options.side, options.side), dtype=np.float32)
    colour = rng.random((3, options.side // 2, options.side // 2), dtype=np.float32)
    third = max(4, round((options.side**2) ** (1 / 3)))
    volume = rng.random((1, third, third, third), dtype=np.float32)

    print(f"gray {gray.shape}, {options.steps} Perona-Malik steps, float32, CPU seconds")
    for conductivity in sorted(CONDUCTIVITIES):
        for presmoothing in (0.0, 0.5):
            smooth = PeronaMalik(conductivity=conductivity, presmoothing=presmoothing, steps=options.steps)
            fast = seconds(lambda smooth=smooth: smooth(gray, SIGMA), runs=5)
            weights, passes = smoothing_for(presmoothing, (1.0, 1.0))
            scheme = ExplicitScheme(2, 0.2, (1.0, 1.0), conductivity, (0.25 * SIGMA,), weights, passes)
            plain = seconds(lambda scheme=scheme: explicit_diffusion(gray, scheme), runs=1) / 2 * options.steps
            print(
                f"  {conductivity:12s} presmoothing {presmoothing}: {fast:6.3f}   plain NumPy {plain:7.2f}"
                f"   ratio {plain / fast:5.1f}"
            )
    print("defaults, CPU seconds a megapixel and channel")
    for name, image in (("gray", gray), ("colour", colour), ("volume", volume)):
        for smooth in (PeronaMalik(), Heat(), Heat(time=1.0)):
            label = f"{type(smooth).__name__}{' with a given time' if getattr(smooth, 'time', None) else ''}"
            spent = seconds(lambda smooth=smooth, image=image: smooth(image, SIGMA), runs=3)
            print(f"  {name:7s} {label:24s} {spent / image.size * 1e6:6.3f}")


if __name__ == "__main__":
    main()
