"""Whether the examples of the help are true."""

import glob
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from noiseless.apps.cli import main
from noiseless.apps.cli.examples import EXAMPLES, OF_ALL

from .options import long_names

CANNOT_RUN = ("camera:0", "rtsp://", "noiseless serve", "noiseless doctor")
"""Examples that need a camera, a network, or do not end; and the one that test_doctor_cli runs."""

SHORTER = {
    "tune": ["--budget", "1", "--side", "48"],
    "adapt": ["--budget", "1"],
    "train": ["--steps", "2", "--batch", "1", "--patch", "16", "--minutes", "inf"],
    "demo": ["--steps", "2"],
}
"""What is put after an example, so that a test takes seconds."""

PACKAGES = {
    ("noiseless adapt", "noiseless train"): "torch",
    ("noiseless export",): "onnx",
    ("noiseless demo",): "skimage",
    ("--plot",): "matplotlib",
    (".nii.gz",): "nibabel",
    (".mp4", "noiseless stream"): "av",
}
"""That examples with these words need."""

ALL = [*((verb, command) for verb, examples in EXAMPLES.items() for command, _ in examples)]
RUN = [(verb, command) for verb, command in ALL if not any(words in command for words in CANNOT_RUN)]


def _words(command):
    """As a shell hands them over: patterns are replaced by the files that match."""
    words = shlex.split(command)[1:]
    found = [name for word in words for name in (sorted(glob.glob(word)) if "*" in word else [word])]
    return [*found, *SHORTER.get(words[0], [])]


@pytest.mark.parametrize("command", dict.fromkeys([*(command for _, command in RUN), *(one for one, _ in OF_ALL[:-1])]))
def test_examples_work(command, folder, with_shim, monkeypatch, capfd):
    for words, package in PACKAGES.items():
        if any(word in command for word in words):
            pytest.importorskip(package)
    if output := re.search(r" -o (\S+)", command):
        Path(output[1]).unlink(missing_ok=True)  # what another example is to find there
    if "|" in command:
        finished = subprocess.run(command, shell=True, capture_output=True, text=True, env=with_shim)
        assert finished.returncode == 0, finished.stderr
        return
    if command == "noiseless demo":
        from skimage import data

        small = data.astronaut()[:96, 160:256]
        monkeypatch.setattr(data, "astronaut", lambda: small)
    code = main(_words(command))
    assert code == 0, capfd.readouterr().err
    if output:
        assert Path(output[1]).exists() or "--dry-run" in command


@pytest.mark.parametrize(("verb", "command"), [pair for pair in ALL if pair not in RUN])
def test_options_of_examples_that_cannot_run_are_there(verb, command):
    assert set(re.findall(r"(?<= )--[a-z-]+", command)) <= long_names(verb)
