"""Video: frames fused over time, then denoised by what noise is left at each pixel."""

from .temporal_denoiser import TemporalDenoiser

__all__ = ["TemporalDenoiser"]
