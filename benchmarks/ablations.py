"""What a change of network, loss or optimiser is worth, all else equal.

    python benchmarks/ablations.py TRAIN_FOLDER VALIDATION_FOLDER [--steps 3000] [--only plain "no skips"] [--seed 0]

Gray networks at the cost of `tiny` (0.019 million multiply-adds a pixel; those named so at that of `base`, 0.148),
trained on the same patches in the same order by the project's own trainer. A line a variant: mean PSNR at sigma 15, 25
and 50 on every third picture of the validation folder, multiply-adds a pixel, milliseconds of one 512x512 image in
OpenVINO on one thread (bfloat16 where this CPU gains from it), and milliseconds a training step. The results are in
training/ledger.md.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openvino
import torch
from torch import nn
from torch.nn import functional as F

import noiseless
from noiseless.diffusion import CoherenceEnhancing, PeronaMalik
from noiseless.score import TrainingSettings, training
from noiseless.score.architecture import ResidualShape
from noiseless.score.engines.openvino_engine import fastest_precision
from noiseless.score.networks.residual import Block, ResidualNetwork
from noiseless.score.objective import Objective
from noiseless.score.patches import pack

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
TINY = ResidualShape(channels=1, width=32, blocks=4)


class Conditioned(ResidualNetwork):
    """The residual network with diffused images as further input channels; ``diffuse`` makes them from (y, sigma)."""

    def __init__(self, shape, diffuse, images):
        super().__init__(shape)
        self.diffuse = diffuse
        self.head = nn.Conv2d((2 + images) * shape.channels * shape.factor**2, shape.width, 1, bias=False)

    def forward(self, noisy, sigma):
        with torch.no_grad(), torch.autocast(noisy.device.type, enabled=False):
            diffused = self.diffuse(noisy, sigma)
        return self.after(noisy, sigma, diffused)

    def after(self, noisy, sigma, diffused):
        hidden = self.head(F.pixel_unshuffle(torch.cat([noisy, sigma, *diffused], dim=1), self.shape.factor))
        for block in self.body:
            hidden = block(hidden)
        return F.pixel_shuffle(self.tail(hidden), self.shape.factor)


class Given(nn.Module):
    """A conditioned network to which the diffused images are handed."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, noisy, sigma, *diffused):
        return self.network.after(noisy, sigma, diffused)


def filtered(*filters):
    """Each image diffused at the mean of its sigma map."""

    def diffuse(noisy, sigma):
        levels = sigma.mean(dim=(1, 2, 3)).tolist()
        return [
            torch.stack([f(image, level) for image, level in zip(noisy, levels, strict=True)]).to(noisy.dtype)
            for f in filters
        ]

    return diffuse


class GatedBlock(nn.Module):
    """h + conv(a relu(b) / (|a| + |b|)), (a, b) = conv(h): a gate that is homogeneous of degree one."""

    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, hidden):
        a, b = self.first(hidden).chunk(2, dim=1)
        return hidden + self.second(a * F.relu(b) / (a.abs() + b.abs() + 1e-12))


def with_blocks(shape, block):
    network = ResidualNetwork(shape)
    network.body = nn.ModuleList(block(shape.width) for _ in range(shape.blocks))
    return network


def plain_stack(shape):
    """Convolutions with a ReLU between them and no skips; as many as the residual network has."""
    network = ResidualNetwork(shape)

    class Two(Block):
        def __init__(self, width):
            super().__init__(width)
            for layer in (self.first, self.second):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

        def forward(self, hidden):
            return F.relu(self.second(F.relu(self.first(hidden))))

    network.body = nn.ModuleList(Two(shape.width) for _ in range(shape.blocks))
    return network


def loss_of(weight, error=torch.square):
    def loss(network, clean, sigma, generator):
        noise = sigma * torch.randn(clean.shape, generator=generator, device=clean.device)
        return (error(network(clean + noise, sigma).float() - noise) * weight(sigma)).mean()

    return loss


def over_sigma(power):
    return lambda sigma: (sigma**2 + (2 / 255) ** 2) ** (-power / 2)


@dataclass(frozen=True)
class Variant:
    """A network and how it is trained; ``change`` overrides the settings, ``loss`` the loss, ``adam`` the optimiser."""

    build: object = lambda: ResidualNetwork(TINY)
    change: tuple = ()
    loss: object = None
    adam: float = 0.0
    filters: tuple = ()


PM = PeronaMalik(threads=1)
PM8 = PeronaMalik(time=1.6, step_size=0.2, contrast_per_sigma=1.0, cooling=0.0, threads=1)
CED = CoherenceEnhancing(threads=1)


def shaped(**numbers):
    return lambda: ResidualNetwork(ResidualShape(channels=1, **numbers))


def conditioned(*filters, shape=TINY):
    return Variant(lambda: Conditioned(shape, filtered(*filters), len(filters)), filters=filters)


VARIANTS = {
    "plain": Variant(),
    "perona-malik": conditioned(PM),
    "perona-malik-8": conditioned(PM8),
    "perona-malik and coherence": conditioned(PM, CED),
    "full resolution, 4 blocks of 16": Variant(shaped(width=16, blocks=4, factor=1)),
    "a quarter, 4 blocks of 64": Variant(shaped(width=64, blocks=4, factor=4)),
    "gated, 4 blocks of 26": Variant(lambda: with_blocks(ResidualShape(1, 26, 4), GatedBlock)),
    "no skips": Variant(lambda: plain_stack(TINY)),
    "deep, 8 blocks of 22": Variant(shaped(width=22, blocks=8)),
    "6 blocks of 26": Variant(shaped(width=26, blocks=6)),
    "7 blocks of 24": Variant(shaped(width=24, blocks=7)),
    "16 blocks of 16": Variant(shaped(width=16, blocks=16)),
    "base, 8 blocks of 64": Variant(shaped(width=64, blocks=8)),
    "base, 14 blocks of 48": Variant(shaped(width=48, blocks=14)),
    "base, 32 blocks of 32": Variant(shaped(width=32, blocks=32)),
    "wide, 2 blocks of 44": Variant(shaped(width=44, blocks=2)),
    "wider by a seventh, 5 blocks of 32": Variant(shaped(width=32, blocks=5)),
    "error not weighted": Variant(loss=loss_of(over_sigma(0))),
    "error over sigma^2": Variant(loss=loss_of(over_sigma(2))),
    "absolute error over sqrt(sigma)": Variant(loss=loss_of(over_sigma(0.5), torch.abs)),
    "32 patches of 32": Variant(change=(("batch", 32), ("patch", 32))),
    "2 patches of 128": Variant(change=(("batch", 2), ("patch", 128))),
    "16 patches of 64": Variant(change=(("batch", 16),)),
    "Muon 0.0025": Variant(change=(("muon_rate", 0.0025),)),
    "Muon 0.01": Variant(change=(("muon_rate", 0.01),)),
    "Muon 0.02": Variant(change=(("muon_rate", 0.02),)),
    "AdamW 0.001": Variant(adam=0.001),
    "AdamW 0.003": Variant(adam=0.003),
}


def gray(path):
    pixels = noiseless.read(path).pixels
    return np.tensordot(LUMA, pixels, axes=1)[np.newaxis] if pixels.shape[0] == 3 else pixels


def in_bytes(image):
    return torch.from_numpy(np.round(255 * image).clip(0, 255).astype(np.uint8))


def trained(variant, images, settings):
    """The averaged network, and seconds a step."""
    settings = replace(settings, **dict(variant.change))
    torch.manual_seed(settings.seed)
    trainer = training.Trainer(variant.build(), pack(images, size=settings.patch), settings)
    if variant.loss is not None:
        trainer.objective = Objective(variant.loss)
    if variant.adam:
        everything = list(trainer.network.parameters())
        trainer.optimisers = (torch.optim.AdamW(everything, lr=variant.adam, weight_decay=0.0),)
        trainer.rates = (variant.adam,)
    for state in trainer.run():
        last = state
    return trainer.averaged_network().eval(), last.elapsed / last.step


@torch.no_grad()
def quality(network, images):
    figures = []
    for level in (15, 25, 50):
        values = []
        for clean in images:
            noise = torch.from_numpy(np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32))
            noisy = (clean + level / 255 * noise)[None]
            denoised = noisy - network(noisy, torch.full_like(noisy, level / 255))
            values.append(-10 * np.log10(float((denoised.clamp(0, 1) - clean).square().mean())))
        figures.append(float(np.mean(values)))
    return figures


def milliseconds(network, filters):
    """Of one 512x512 image, one thread, the least of several runs; the diffused images are made outside the graph."""
    noisy, sigma = torch.rand(1, 1, 512, 512), torch.full((1, 1, 512, 512), 0.1)
    inputs = [noisy, sigma, *[noisy] * len(filters)]
    model = openvino.convert_model(Given(network) if filters else network, example_input=tuple(inputs))
    hint = {"float32": "f32", "bfloat16": "bf16"}[fastest_precision()]
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": hint}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    arrays = [value.numpy() for value in inputs]
    times = []
    for _ in range(12):
        start = time.perf_counter()
        for apply in filters:
            apply(arrays[0][0], 0.1)
        request.infer(arrays, share_inputs=True)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), choices=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images = [in_bytes(gray(path)) for path in sorted(options.training.iterdir()) if path.suffix in (".jpg", ".png")]
    held = [torch.from_numpy(gray(p)) for p in sorted(options.validation.iterdir()) if p.suffix == ".png"][::3]
    settings = TrainingSettings(
        steps=options.steps, batch=8, patch=64, muon_rate=0.005, validate_every=10**9, seed=options.seed
    )
    for name in options.only:
        network, seconds = trained(VARIANTS[name], images, settings)
        weights = sum(kernel.numel() for kernel in network.parameters())
        print(json.dumps({
            "variant": name,
            "dB": [round(value, 3) for value in quality(network, held)],
            "weights": weights,
            "multiply_adds": round(weights / network.shape.factor**2),
            "ms": round(milliseconds(network, VARIANTS[name].filters), 1),
            "ms_a_step": round(1000 * seconds, 1),
        }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
