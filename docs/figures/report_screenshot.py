"""The picture of a report, of the example of the page: writes report.jpg beside docs/*.md.

    python docs/figures/report_screenshot.py

It needs playwright and Chromium.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from playwright.sync_api import sync_playwright

import noiseless
from noiseless.apps.web.tasks import EXAMPLE, EXAMPLE_SEED, EXAMPLE_SIGMA

DOCS = Path(__file__).parents[1]

BROWSERS = ("chromium", "google-chrome", "chromium-browser")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = noiseless.read(EXAMPLE).in_stored_units()
        noisy = clean + EXAMPLE_SIGMA * np.random.default_rng(EXAMPLE_SEED).standard_normal(clean.shape)
        pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        noiseless.write(noiseless.from_array(pixels, channel_axis=0), folder / "photo.png")
        command = [sys.executable, "-m", "noiseless", "denoise", "photo.png", "--report", "report.html"]
        subprocess.run(command, cwd=folder, check=True)
        with sync_playwright() as playwright:
            executable = next(filter(None, map(shutil.which, BROWSERS)))
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 1500})
            page.goto((folder / "report.html").as_uri())
            page.wait_for_timeout(1000)
            shown = Picture.open(io.BytesIO(page.screenshot()))
            browser.close()
    shown.convert("RGB").save(DOCS / "report.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
