"""Many blocks of a small image."""

import pytest

from noiseless.restoration import block_grid


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and tiles of few pixels, so that a small image has many."""
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 48)
    monkeypatch.setattr(block_grid, "LARGEST_DEPTH", 3)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
