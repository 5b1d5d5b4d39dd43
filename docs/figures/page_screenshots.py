"""Pictures of the page of ``noiseless serve``: light, dark, on a phone, a CT slice by its window, a refusal.

    python docs/figures/page_screenshots.py

Writes page-light.jpg, page-dark.jpg, page-phone.jpg, page-dicom.jpg and page-error.jpg beside docs/*.md. It needs
playwright and Chromium. The photograph is the example of the page; the CT slice is made here, of a phantom.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image as Picture
from playwright.sync_api import sync_playwright
from skimage.data import shepp_logan_phantom
from skimage.transform import iradon, resize

DOCS = Path(__file__).parents[1]

BROWSERS = ("chromium", "google-chrome", "chromium-browser")

MOST_BYTES = 150_000

NOISE = 14.0
"""Hounsfield units."""


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        files = Path(folder)
        write_phantom(files / "phantom.dcm")
        (files / "letter.docx").write_bytes(b"no image")
        command = [sys.executable, "-m", "noiseless", "serve", "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        url = server.stdout.readline().strip()
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            light = opened(browser, url)
            with_example(light)
            keep(light, "page-light")
            keep(with_error(light), "page-dark")
            phone = opened(browser, url, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True)
            with_example(phone)
            keep(phone, "page-phone")
            keep(with_phantom(opened(browser, url), files / "phantom.dcm"), "page-dicom")
            refused = opened(browser, url)
            refused.set_input_files("#file", str(files / "letter.docx"))
            refused.wait_for_selector(".problem")
            keep(refused, "page-error")
        finally:
            browser.close()
            server.terminate()
            server.wait()
            server.stdout.close()


def opened(browser, url, **options):
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options})
    context.set_default_timeout(300_000)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#formats:has-text('PNG')")
    return page


def with_example(page):
    page.click("#example")
    page.wait_for_selector("#work:not([hidden])")
    denoise(page)


def denoise(page):
    page.click("#denoise")
    page.wait_for_selector("#download:not([hidden])")
    page.mouse.move(1, 1)


def with_error(page):
    """The map of the error, in the dark."""
    page.get_by_role("radio", name="Error").check()
    page.click("#make-error")
    page.wait_for_selector("#history:not([hidden])")
    page.click("#theme")
    page.mouse.move(1, 1)
    return page


def with_phantom(page, path):
    page.set_input_files("#file", str(path))
    page.wait_for_selector("#work:not([hidden])")
    page.get_by_role("button", name="Brain").click()
    denoise(page)
    return page


def keep(page, name):
    """Write what is seen as a JPEG, of the quality that keeps it small."""
    page.evaluate("() => document.activeElement.blur()")
    page.wait_for_timeout(1000)
    picture = Picture.open(io.BytesIO(page.screenshot()))
    for quality in range(86, 40, -4):
        stored = io.BytesIO()
        picture.convert("RGB").save(stored, "JPEG", quality=quality, optimize=True, progressive=True)
        if stored.tell() <= MOST_BYTES:
            break
    (DOCS / f"{name}.jpg").write_bytes(stored.getvalue())
    print(f"{name}.jpg: {stored.tell()} bytes at quality {quality}")


def write_phantom(path):
    """The head of Shepp and Logan as a CT slice, with the noise that filtered back-projection makes."""
    grey = resize(shepp_logan_phantom(), (288, 288), anti_aliasing=True)
    clean = np.interp(grey, [0.0, 0.1, 0.2, 0.3, 0.4, 1.0], [-1000.0, 12.0, 32.0, 46.0, 62.0, 1100.0])
    rays = np.random.default_rng(0).standard_normal((288, 360))
    noise = iradon(rays, theta=np.linspace(0.0, 180.0, 360, endpoint=False), filter_name="hamming", circle=True)
    values = np.rint(clean + NOISE / noise[96:192, 96:192].std() * noise).astype(np.int16)
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    data.Modality, data.PatientName, data.PatientID = "CT", "Phantom", "0"
    data.Rows, data.Columns = values.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 1
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.RescaleSlope, data.RescaleIntercept, data.PixelSpacing = 1, 0, [0.8, 0.8]
    data.PixelData = values.tobytes()
    data.save_as(path, enforce_file_format=True)


if __name__ == "__main__":
    main()
