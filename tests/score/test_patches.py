import pytest

torch = pytest.importorskip("torch")

from noiseless.errors import InvalidParameter  # noqa: E402
from noiseless.score.patches import pack  # noqa: E402


def coordinates(height, width, start):
    """An image whose pixels are all different, so that a patch tells where it was cut."""
    return (torch.arange(height * width).reshape(1, height, width) + start).to(torch.uint8)


def test_patches_are_cut_from_single_images_under_all_eight_turns():
    image = coordinates(9, 11, 0)
    drawn, which = pack([image], size=4).draw(400, 4, torch.Generator().manual_seed(0))
    assert (which == 0).all()
    patches = (drawn * 255).round().to(torch.uint8)
    windows = image.unfold(1, 4, 1).unfold(2, 4, 1).reshape(-1, 4, 4)
    seen = set()
    for patch in patches[:, 0]:
        turns = [patch.rot90(k) for k in range(4)] + [patch.T.rot90(k) for k in range(4)]
        found = [k for k, turned in enumerate(turns) if any(bool((turned == window).all()) for window in windows)]
        assert len(found) == 1
        seen.add(found[0])
    assert seen == set(range(8))


def test_patches_never_mix_two_images():
    images = [torch.full((1, 8, 8), value, dtype=torch.uint8) for value in (10, 200)]
    patches, which = pack(images, size=8).draw(50, 8, torch.Generator().manual_seed(0))
    assert torch.equal(patches[:, 0, 0, 0] > 0.5, which == 1)
    assert all(len(patch.unique()) == 1 for patch in patches)
    assert len(patches.unique()) == 2


def test_images_are_drawn_in_proportion_to_their_patches():
    images = [torch.zeros((1, 8, 8), dtype=torch.uint8), torch.full((1, 8, 10), 255, dtype=torch.uint8)]
    count = 4000
    drawn = pack(images, size=8).draw(count, 8, torch.Generator().manual_seed(0))[0][:, 0, 0, 0]
    share = 3 / 4  # three places in the second image, one in the first
    assert abs(float(drawn.mean()) - share) < 4 * (share * (1 - share) / count) ** 0.5


def test_images_smaller_than_a_patch_are_refused_when_there_is_no_other():
    with pytest.raises(InvalidParameter, match="at least 16x16"):
        pack([torch.zeros((1, 8, 40), dtype=torch.uint8)], size=16)
