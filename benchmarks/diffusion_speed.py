"""How fast are the diffusion filters: against SimpleITK, OpenCV, plain NumPy, copying, and cosine transforms.

    python benchmarks/diffusion_speed.py [--side 2048] [--only scalar linear tensor volume start]

Pairs run one after the other in one process; the ratios are what counts. One thread unless stated (process CPU time,
least of the runs, after compilation); two threads by wall time. SimpleITK and OpenCV are left out where not installed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.fft

from noiseless.diffusion import (
    Charbonnier,
    CoherenceEnhancing,
    EdgeEnhancing,
    Heat,
    MeanCurvature,
    PeronaMalik,
    TotalVariation,
    heat_steps,
    tensor,
)

SIGMA = 0.1
STEPS = 50
RNG = np.random.default_rng(0)
START = """
import time; first = time.perf_counter()
import numpy as np
from noiseless.diffusion import filter_named
smooth, image = filter_named({name!r}), np.zeros((1, 64, 64), np.float32)
smooth(image, 0.1)
print(time.perf_counter() - first)
"""


def seconds(function, runs=3, clock=time.process_time):
    function()  # compiles, or loads what was compiled
    times = []
    for _ in range(runs):
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def steps_of(kind, steps=STEPS, **fields):
    return kind(time=0.2 * steps, threads=1, **fields)


def scalar_flows(side):
    image = RNG.random((1, side, side), dtype=np.float32)
    print(f"{STEPS} nonlinear steps, {side}x{side} float32, CPU seconds")
    ours = {
        "Perona-Malik": steps_of(PeronaMalik, presmoothing=0.0),
        "Perona-Malik, presmoothed": steps_of(PeronaMalik),
        "Perona-Malik, exponential": steps_of(PeronaMalik, presmoothing=0.0, conductivity="exponential"),
        "Charbonnier": steps_of(Charbonnier, presmoothing=0.0),
        "total variation": steps_of(TotalVariation, presmoothing=0.0),
        "Perona-Malik, fast explicit, equal time": steps_of(PeronaMalik, stepping="fast-explicit"),
        "Perona-Malik, semi-implicit, equal time": steps_of(PeronaMalik, stepping="semi-implicit"),
    }
    peers = peers_of_scalar_flows(image)
    for name, value in peers.items():
        print(f"  {name:42s} {value:7.3f}")
    for name, smooth in ours.items():
        value = seconds(lambda smooth=smooth: smooth(image, SIGMA))
        print(f"  {name:42s} {value:7.3f}", *(f"  {peer / value:6.1f} x {other}" for other, peer in peers.items()))
    for threads in (1, 2):
        smooth = PeronaMalik(time=0.2 * STEPS, threads=threads)
        value = seconds(lambda smooth=smooth: smooth(image, SIGMA), clock=time.perf_counter)
        print(f"  Perona-Malik, presmoothed, {threads} thread(s), wall      {value:7.3f}")


def peers_of_scalar_flows(image):
    """Seconds for all steps, of one channel; fewer steps are timed and multiplied."""
    found = {}
    try:
        import SimpleITK
    except ImportError:
        print("  SimpleITK is not installed")
    else:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        picture = SimpleITK.GetImageFromArray(255 * image[0])
        few = 5
        run = lambda: SimpleITK.GradientAnisotropicDiffusion(picture, 0.125, 1.0, 1, few)  # noqa: E731
        found["SimpleITK"] = seconds(run, runs=2) / few * STEPS
    try:
        import cv2

        cv2.ximgproc.anisotropicDiffusion  # noqa: B018
    except (ImportError, AttributeError):
        print("  OpenCV contrib is not installed")
    else:
        cv2.setNumThreads(1)
        colour = np.uint8(255 * np.repeat(image[0, :, :, None], 3, axis=2))
        few = 5
        run = lambda: cv2.ximgproc.anisotropicDiffusion(colour, 0.2, 0.1, few)  # noqa: E731
        found["OpenCV contrib"] = seconds(run, runs=2) / few * STEPS / 3
    return found


def linear_flows(side):
    for size in (side, 2 * side):
        image = RNG.random((1, size, size), dtype=np.float32)
        other = np.empty_like(image)
        print(f"linear, {size}x{size} float32, CPU seconds, one thread")

        def copies(image=image, other=other):
            for _ in range(100):
                np.copyto(other, image)

        def transforms(image=image):
            scipy.fft.idctn(scipy.fft.dctn(image[0], norm="ortho", workers=1), norm="ortho", workers=1)

        kernel_only = steps_of(PeronaMalik, 100, presmoothing=0.0, conductivity="homogeneous")
        print(f"  100 explicit steps, stencil       {seconds(lambda: kernel_only(image, SIGMA)):7.3f}")  # noqa: B023
        print(f"  100 copies of the image           {seconds(copies):7.3f}")
        for steps in (20, 40, 60, 100):
            value = seconds(lambda steps=steps: heat_steps(image, 0.2, steps, threads=1))  # noqa: B023
            print(f"  {steps:3d} explicit steps, by itself     {value:7.3f}")
        both = [seconds(lambda: Heat(time=20.0)(image, SIGMA), clock=time.perf_counter) for _ in range(2)]  # noqa: B023
        print(f"  exact heat, wall, all cores       {min(both):7.3f}")
        pair = seconds(
            lambda: scipy.fft.idctn(
                scipy.fft.dctn(image, axes=(1, 2), norm="ortho", workers=-1),  # noqa: B023
                axes=(1, 2), norm="ortho", workers=-1,
            ),
            clock=time.perf_counter,
        )  # fmt: skip
        print(f"  two cosine transforms, the same   {pair:7.3f}   (one thread, CPU {seconds(transforms):.3f})")


def tensor_flows(side):
    print("tensors, float32, CPU seconds a megapixel, one thread; plain is the same arithmetic in NumPy: equal error")
    for kind in (EdgeEnhancing, CoherenceEnhancing, MeanCurvature):
        image = RNG.random((1, side, side), dtype=np.float32)
        ours = seconds(lambda kind=kind, image=image: kind(threads=1)(image, SIGMA), runs=2)
        smooth, spacing = kind(), (1.0, 1.0)
        scheme = smooth._scheme(smooth._contrasts((SIGMA,), spacing), spacing)
        cycles = smooth._cycles(spacing)
        cycle = lambda: tensor.diffuse(image, scheme, cycles[:1], None)  # noqa: B023, E731
        plain = seconds(cycle, runs=2) * len(cycles)
        print(
            f"  {kind.__name__:20s} {ours / image.size * 1e6:7.3f}   plain {plain / image.size * 1e6:7.2f}"
            f"   ratio {plain / ours:5.1f}"
        )


def volumes(side):
    print("a volume of 256^3 beside an image, CPU nanoseconds a pixel, step and neighbour, one thread")
    image = RNG.random((1, side, side), dtype=np.float32)
    volume = RNG.random((1, 256, 256, 256), dtype=np.float32)
    for name, kind, fields in (
        ("heat by steps", PeronaMalik, {"conductivity": "homogeneous", "presmoothing": 0.0}),
        ("Perona-Malik", PeronaMalik, {"presmoothing": 0.0}),
        ("Perona-Malik, presmoothed", PeronaMalik, {}),
    ):
        costs = []
        for array, neighbours in ((image, 4), (volume, 6)):
            step = 0.8 / neighbours  # of the bound
            smooth = kind(time=20 * step, step_size=step, threads=1, **fields)
            value = seconds(lambda smooth=smooth, array=array: smooth(array, SIGMA), runs=2)
            costs.append(value / array.size / 20 / neighbours * 1e9)
        print(f"  {name:28s} image {costs[0]:6.3f}   volume {costs[1]:6.3f}   ratio {costs[1] / costs[0]:5.2f}")


def starts():
    print("seconds until a new process has its first result, wall")
    for name in ("perona-malik", "edge-enhancing", "coherence-enhancing"):
        with tempfile.TemporaryDirectory() as cache:
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            command = [sys.executable, "-c", START.format(name=name)]
            times = [
                float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
                for _ in range(3)
            ]
        print(f"  {name:20s} compiling {times[0]:5.2f}   later {min(times[1:]):5.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--only", nargs="+", default=["scalar", "linear", "tensor", "volume", "start"])
    options = parser.parse_args()
    parts = {
        "scalar": lambda: scalar_flows(options.side),
        "linear": lambda: linear_flows(options.side),
        "tensor": lambda: tensor_flows(options.side),
        "volume": lambda: volumes(options.side),
        "start": starts,
    }
    for name in options.only:
        parts[name]()


if __name__ == "__main__":
    main()
