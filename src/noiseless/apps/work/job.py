"""One thing to denoise, and where its results go."""

from dataclasses import dataclass
from pathlib import Path

import noiseless

STANDARD = Path("-")
"""Standard input or output, on a command line."""


@dataclass(frozen=True)
class Job:
    """One image or video to denoise and where its results go.

    Parameters
    ----------
    sources : its file, or those of a series, one a slice
    targets : as many
    error, plot, report : what is to be written beside them, or None
    samples : how many, each like the targets
    folder : that was named for the results, to be made where it is missing; or None
    recorded : whether several inputs go into that folder, so that it keeps a manifest
    """

    sources: tuple[Path, ...]
    targets: tuple[Path, ...]
    error: Path | None = None
    plot: Path | None = None
    report: Path | None = None
    samples: int = 0
    folder: Path | None = None
    recorded: bool = False

    @property
    def name(self) -> str:
        """Of the input, for reports."""
        return name_of(self.sources)

    @property
    def result(self) -> str:
        """Of the output, for reports."""
        return name_of(self.targets)

    @property
    def to_standard(self) -> bool:
        """Whether the result goes to standard output."""
        return self.targets == (STANDARD,)

    @property
    def sample_targets(self) -> list[tuple[Path, ...]]:
        """photo.png: photo.sample1.png and so on."""
        numbers = range(1, self.samples + 1)
        return [tuple(inserted(target, f"sample{number}") for target in self.targets) for number in numbers]

    @property
    def outputs(self) -> list[Path]:
        """All that is written to files."""
        named = [path for path in (self.error, self.plot, self.report) if path is not None]
        if self.to_standard:
            return named
        return [*self.targets, *(path for paths in self.sample_targets for path in paths), *named]


def name_of(paths: tuple[Path, ...]) -> str:
    """Of the files of one image, for people: the file, or the folder of a series."""
    return str(paths[0]) if len(paths) == 1 else f"{paths[0].parent} ({len(paths)} slices)"


def inserted(path: Path, word: str) -> Path:
    """brain.nii.gz: brain.WORD.nii.gz."""
    suffix = noiseless.files.suffix_of(path) or path.suffix
    return path.with_name(f"{path.name[: len(path.name) - len(suffix)]}.{word}{suffix}")
