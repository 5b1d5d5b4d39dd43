"""Is structure in what was removed found where it is, and only there?

    python benchmarks/residual_structure.py FOLDER [--sigmas 15 25 50] [--every 1] [--model base] [--blind]

FOLDER/*.png are clean images. White noise, fresh for each image, neither clipped nor rounded. False alarms: verdicts on
the result of the score network. Detection: verdicts on heat of twice the time of least risk, and, as a picture of how
little is seen, on heat of that time itself. --blind: sigma is estimated.
"""

import argparse
from pathlib import Path

import numpy as np

import noiseless
from noiseless.diffusion import Heat


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--model", default="base")
    parser.add_argument("--blind", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.png"))[:: options.every]
    print(f"% of {len(paths)} images (least and greatest z over the limit): network, heat, heat for twice as long")
    for sigma in options.sigmas:
        ratios = {"network": [], "heat": [], "twice": []}
        for seed, path in enumerate(paths):
            clean = 255.0 * noiseless.read(path).pixels.astype(np.float64)
            noisy = clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)
            best = list(Heat().states(noisy.astype(np.float32), sigma, most=1))[-1].time
            methods = {"network": "score", "heat": f"heat:time={best}", "twice": f"heat:time={2 * best}"}
            for name, method in methods.items():
                recipe = noiseless.Recipe(method, options.model)
                told = None if options.blind else sigma
                structure = noiseless.restore(noisy, recipe, sigma=told, channel_axis=0).audit.structure
                ratios[name].append(structure.strongest / structure.limit)
        cells = [f"{100 * np.mean(np.array(r) > 1):.1f} ({min(r):.2f} to {max(r):.2f})" for r in ratios.values()]
        print(f"sigma {sigma:g}: " + ", ".join(cells), flush=True)


if __name__ == "__main__":
    main()
