"""How clean training images are made noisy."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from noiseless.score.jpeg import compress

# Of a developed photograph: exponent of the transfer curve, and the darkest light at which its slope is taken.
_GAMMA, _DARKEST = 2.2, 0.01
# What is drawn, for each patch anew:
_WIDEST_LIGHT, _WIDEST_COLOUR = 1.3, 6.0  # pixels, standard deviations of the blurs that correlate noise
_LEAST_COLOUR, _MOST_COLOUR = 0.3, 2.0  # strength of the noise of colours over that of light
_LEAST_READ_NOISE, _MOST_READ_NOISE = 0.002, 0.1  # share of the variance at full light that does not grow with light
_LARGEST_BALANCE = 2.4  # by which the white balance multiplies red and blue
_WHITE_SHARE, _CORRELATED_SHARE = 0.4, 0.25  # of the patches; the rest is developed
_JPEG_SHARE, _LOWEST_QUALITY, _HIGHEST_QUALITY = 0.6, 50, 98
# Orthonormal: luminance, and two differences of colours.
_OPPONENT = [[3**-0.5] * 3, [2**-0.5, 0.0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]]
_ENLARGED_SHARE, _LARGEST_ZOOM = 0.5, 3.0
# Logarithm of the noise level that the network is told over the true one, mean and standard deviation: as
# `estimate_image_noise` errs on photographs corrupted like this.
_ERROR_WHITE, _ERROR_OTHER = (0.0, 0.05), (-0.3, 0.5)


@dataclass(frozen=True, eq=False)
class Corrupted:
    """A batch that was made noisy, the noise level that the network is told, the clean batch; (batch, C, H, W) each."""

    noisy: Tensor
    sigma: Tensor
    clean: Tensor


def white(clean: Tensor, sigma: Tensor, generator: torch.Generator) -> Corrupted:
    """Independent normal noise of standard deviation sigma."""
    return Corrupted(clean + sigma * _normal(clean, generator), sigma, clean)


def camera(clean: Tensor, sigma: Tensor, generator: torch.Generator) -> Corrupted:
    """What cameras and files do, up to the strength sigma: white noise, correlated, and developed from raw.

    Developed noise starts on the colour filter array, its variance growing with the light, is interpolated to three
    colours, multiplied by the white balance and by the slope of the transfer curve: strong in shadows, coarse, and
    coloured. It and white noise are correlated as cameras do when they suppress noise: blurred by up to 1.3 pixels in
    luminance, by up to 6 in colour (that of PolyU has a correlation of 0.62 and 0.91 from pixel to pixel). Most patches
    are compressed as JPEG after that. The network is told the root mean square of what was done to a patch: as it is
    for white noise, too little by a quarter and wrong by half for the rest, as estimates are. There it had better look
    for itself. Strengths are a uniform share of sigma, since weak noise is what most photographs have.

    Training images are sharper than what a camera makes of a scene at full size, where lens, filter array and
    demosaicing blur. So half of the patches are enlarged first, by up to 3, and the clean image is the enlarged one.

    Parameters
    ----------
    clean : (batch, C, H, W), range [0, 1]; H and W at least 8
    sigma : of the shape of ``clean``; its mean over a patch bounds the strength before compression
    generator : fixes what is drawn
    """
    batch = clean.shape[0]
    clean = _enlarged(clean, generator)
    level = sigma.mean(dim=(1, 2, 3), keepdim=True) * _uniform(batch, clean, generator)
    kind = _uniform(batch, clean, generator)
    is_white, is_developed = kind < _WHITE_SHARE, kind >= _WHITE_SHARE + _CORRELATED_SHARE
    noise = torch.where(is_developed, _developed(clean, generator), _normal(clean, generator))
    noise = torch.where(is_white, noise, _correlated(noise, generator))
    noise = noise / noise.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    noisy = clean + level * noise
    quality = _LOWEST_QUALITY + (_HIGHEST_QUALITY - _LOWEST_QUALITY) * _uniform(batch, clean, generator)
    halved = _uniform(batch, clean, generator) < 0.5
    compressed = _uniform(batch, clean, generator) < _JPEG_SHARE
    noisy = torch.where(compressed, compress(noisy, quality, halved), noisy)
    done = (noisy - clean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    (bias, spread), (bias_other, spread_other) = _ERROR_WHITE, _ERROR_OTHER
    drawn = torch.randn(done.shape, generator=generator, device=clean.device)
    error = torch.where(is_white & ~compressed, bias + spread * drawn, bias_other + spread_other * drawn)
    return Corrupted(noisy, (done * error.exp()).expand(clean.shape), clean)


def _enlarged(clean: Tensor, generator: torch.Generator) -> Tensor:
    """The middle of some patches, enlarged to their size by bicubic interpolation."""
    zoom = 1.0 + (_LARGEST_ZOOM - 1.0) * _uniform(clean.shape[0], clean, generator)
    zoom = torch.where(_uniform(clean.shape[0], clean, generator) < _ENLARGED_SHARE, zoom, 1.0).view(-1)
    turn = torch.zeros(clean.shape[0], 2, 3, device=clean.device)
    turn[:, 0, 0] = turn[:, 1, 1] = 1.0 / zoom
    grid = F.affine_grid(turn, list(clean.shape), align_corners=False)
    return F.grid_sample(clean, grid, mode="bicubic", padding_mode="reflection", align_corners=False).clamp(0, 1)


def _developed(clean: Tensor, generator: torch.Generator) -> Tensor:
    """Noise of a raw image as it looks in the photograph; of no particular strength."""
    batch, channels, height, width = clean.shape
    device = clean.device
    light = clean.clamp(0, 1) ** _GAMMA
    logs = math.log(_LEAST_READ_NOISE), math.log(_MOST_READ_NOISE)
    read = torch.exp(logs[0] + (logs[1] - logs[0]) * _uniform(batch, clean, generator))
    balance = torch.ones(batch, channels, 1, 1, device=device)
    if channels == 3:
        balance[:, ::2] = 1.0 + (_LARGEST_BALANCE - 1.0) * torch.rand(
            batch, 2, 1, 1, generator=generator, device=device
        )
    # The sensor sees less of what the white balance multiplies.
    noise = (light / balance + read).sqrt() * _normal(clean, generator)
    if channels == 3:
        noise = _interpolated(noise, _filter_array(batch, height, width, generator, device))
    slope = light.clamp(min=_DARKEST) ** (1.0 / _GAMMA - 1.0)
    return noise * balance * slope


def _correlated(noise: Tensor, generator: torch.Generator) -> Tensor:
    """Blurred by widths drawn for each patch, luminance apart from the two differences of colours."""
    batch, channels = noise.shape[:2]
    narrow = _WIDEST_LIGHT * _uniform(batch, noise, generator)
    if channels != 3:
        return _blurred(noise, narrow)
    turn = noise.new_tensor(_OPPONENT)
    turned = torch.einsum("ij,bjhw->bihw", turn, noise)
    wide = _WIDEST_COLOUR * _uniform(batch, noise, generator)
    ratio = _LEAST_COLOUR + (_MOST_COLOUR - _LEAST_COLOUR) * _uniform(batch, noise, generator)
    parts = [_blurred(turned[:, :1], narrow), ratio * _blurred(turned[:, 1:], torch.maximum(wide, narrow))]
    return torch.einsum("ij,bihw->bjhw", turn, torch.cat(parts, dim=1))


def _filter_array(batch: int, height: int, width: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(batch, 3, H, W) of 0 and 1: which colour a pixel of the sensor sees; RGGB from a corner drawn for each patch."""
    corner = torch.randint(2, (2, batch, 1, 1), generator=generator, device=device)
    rows = (torch.arange(height, device=device).view(1, -1, 1) + corner[0]) % 2
    columns = (torch.arange(width, device=device).view(1, 1, -1) + corner[1]) % 2
    red, blue = (rows == 0) & (columns == 0), (rows == 1) & (columns == 1)
    return torch.stack([red, ~(red | blue), blue], dim=1).float()


def _interpolated(values: Tensor, seen: Tensor) -> Tensor:
    """Bilinear demosaicing: each colour from the pixels that see it."""
    kernel = values.new_tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]).expand(3, 1, 3, 3)
    total = F.conv2d(F.pad(values * seen, (1, 1, 1, 1), mode="reflect"), kernel, groups=3)
    weight = F.conv2d(F.pad(seen, (1, 1, 1, 1), mode="reflect"), kernel, groups=3)
    return torch.where(seen > 0, values, total / weight)


def _blurred(values: Tensor, widths: Tensor) -> Tensor:
    """Each patch blurred by a Gaussian of its own width, (batch, 1, 1, 1); white noise keeps its variance."""
    batch, channels, height, width = values.shape
    reach = min(math.ceil(3 * float(widths.max())) + 1, height - 1, width - 1)  # of a reflected border
    offsets = torch.arange(-reach, reach + 1, device=values.device).view(1, -1)
    kernel = torch.exp(-0.5 * (offsets / widths.view(batch, 1).clamp(min=0.05)) ** 2)
    kernel = (kernel / kernel.square().sum(dim=1, keepdim=True).sqrt()).repeat_interleave(channels, dim=0)
    flat = F.pad(values.reshape(1, batch * channels, height, width), (reach,) * 4, mode="reflect")
    flat = F.conv2d(flat, kernel.view(-1, 1, 1, 2 * reach + 1), groups=batch * channels)
    flat = F.conv2d(flat, kernel.view(-1, 1, 2 * reach + 1, 1), groups=batch * channels)
    return flat.view(values.shape)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device)


def _uniform(batch: int, like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(batch, 1, 1, 1, generator=generator, device=like.device)
