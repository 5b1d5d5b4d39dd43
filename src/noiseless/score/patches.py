"""Images to training patches, on the CPU or whole on the GPU."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from noiseless.errors import InvalidParameter


@dataclass(frozen=True, eq=False)
class Patches:
    """All training images in one flat tensor, from which batches of turned and mirrored patches are drawn.

    One gather a batch, on whatever device the tensor lives, so a GPU never waits for the CPU. An image is drawn
    in proportion to the number of patches it has.

    Parameters
    ----------
    flat : (C, pixels) tensor, the images one after another, row by row: uint8 from 0 to 255, or float32 in [0, 1].
    starts, heights, widths : (images,) int64 tensors on the device of ``flat``.
    """

    flat: Tensor
    starts: Tensor
    heights: Tensor
    widths: Tensor

    def to(self, device: torch.device) -> "Patches":
        return Patches(*(part.to(device) for part in (self.flat, self.starts, self.heights, self.widths)))

    def draw(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch of patches.

        Parameters
        ----------
        count : how many
        size : side of a patch in pixels
        generator : fixes the draw; on the device of the images.

        Returns
        -------
        (count, C, size, size) float32 tensor, nominal range [0, 1]; (count,) int64 tensor, of which image each is.
        """
        device = self.flat.device
        rows, columns = self.heights - size + 1, self.widths - size + 1
        weight = (rows.clamp(min=0) * columns.clamp(min=0)).double()
        which = torch.multinomial(weight, count, replacement=True, generator=generator)

        def below(bound: Tensor) -> Tensor:
            unit = torch.rand(count, generator=generator, device=device, dtype=torch.float64)
            return (unit * bound).long()

        corner = self.starts[which] + below(rows[which]) * self.widths[which] + below(columns[which])
        step = torch.arange(size, device=device)
        offset = step.view(1, size, 1) * self.widths[which].view(count, 1, 1) + step.view(1, 1, size)
        patches = self.flat[:, corner.view(count, 1, 1) + offset].movedim(1, 0)
        turned = _dihedral(patches, torch.randint(8, (count,), generator=generator, device=device))
        return turned.float() / (255.0 if self.flat.dtype == torch.uint8 else 1.0), which


def _dihedral(patches: Tensor, which: Tensor) -> Tensor:
    """Each square patch under one of the eight turns and mirror images: bits of ``which`` flip, mirror, transpose."""

    def chosen(bit: int) -> Tensor:
        return ((which >> bit) & 1).bool().view(-1, 1, 1, 1)

    patches = torch.where(chosen(0), patches.flip(-1), patches)
    patches = torch.where(chosen(1), patches.flip(-2), patches)
    return torch.where(chosen(2), patches.transpose(-1, -2), patches)


def pack(images: Sequence[Tensor], *, size: int) -> Patches:
    """Images as one flat tensor.

    Parameters
    ----------
    images : (C, H, W) tensors, all uint8 or all float32, all with the same C
    size : side of the patches that will be drawn; images smaller than that are left out.

    Raises
    ------
    InvalidParameter : no image is as large as a patch.
    """
    kept = [image for image in images if min(image.shape[1:]) >= size]
    if not kept:
        raise InvalidParameter(
            f"none of the {len(images)} training images is at least {size}x{size} pixels; give larger ones or a "
            "smaller patch"
        )
    heights = torch.tensor([image.shape[1] for image in kept])
    widths = torch.tensor([image.shape[2] for image in kept])
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), (heights * widths).cumsum(0)[:-1]])
    flat = torch.cat([image.reshape(image.shape[0], -1) for image in kept], dim=1)
    return Patches(flat, starts, heights, widths)
