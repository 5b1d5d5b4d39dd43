"""What changes in the header of a file when it is denoised, one file of each kind.

    python benchmarks/header_changes.py DATA

Files are those of DATA/domain and a JPEG of DATA/real/PolyU. Each is denoised from the command line, by heat and with a
sigma of 1 % of its range, and opened again by a library that is not ours: pydicom, nibabel, tifffile, and Pillow for
PNG and JPEG. Printed are the elements that were added, changed and left out; values only where they say what was done.
"""

import argparse
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pydicom
import tifffile

import noiseless
from noiseless.apps.cli import main as command

FILES = (
    *("domain/dicom/CT_small.dcm", "domain/dicom/imageio_dicom_file02.dcm", "domain/nifti/example4d.nii.gz"),
    *("domain/microscopy/fei-sem-rbc.tif", "domain/microscopy/bacteria16_noisy.png"),
)
SHOWN = ("ImageType", "DerivationDescription", "SeriesDescription", "Software", "descrip", "extensions")


def dicom(path):
    data = pydicom.dcmread(path)
    return {element.keyword or str(element.tag): str(element.value)[:120] for element in [*data, *data.file_meta]}


def nifti(path):
    image = nibabel.load(path)
    fields = {name: str(value) for name, value in image.header.items()}
    return {**fields, "extensions": str([str(e.get_content())[:80] for e in image.header.extensions])}


def tiff(path):
    with tifffile.TiffFile(path) as file:
        return {tag.name: str(tag.value)[:120] for tag in file.pages[0].tags}


def picture(path):
    with PIL.Image.open(path) as image:
        known = {name: str(value)[:120] for name, value in image.info.items()}
        exif = {f"EXIF {tag}": str(value)[:120] for tag, value in image.getexif().get_ifd(0x8769).items()}
        return {"mode": image.mode, "size": str(image.size), **known, **exif}


READERS = {".dcm": dicom, ".gz": nifti, ".tif": tiff, ".png": picture, ".JPG": picture}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    photographs = sorted((options.data / "real" / "PolyU").glob("*_real.JPG"))[:1]
    with tempfile.TemporaryDirectory() as folder:
        for source in [*(options.data / name for name in FILES), *photographs]:
            target = Path(folder) / source.name
            sigma = 0.01 * float(np.ptp(noiseless.read(source).in_stored_units()))
            if command(["denoise", str(source), "-o", str(target), "-m", "heat", "--sigma", f"{sigma:.3g}"]):
                raise SystemExit(1)
            before, after = (READERS[source.suffix](path) for path in (source, target))
            print(f"{source.name}: {len(before)} elements before, {len(after)} after")
            for said, names in (
                ("added", after.keys() - before.keys()),
                ("changed", {name for name in before.keys() & after.keys() if before[name] != after[name]}),
                ("left out", before.keys() - after.keys()),
            ):
                listed = [f"{name} = {after[name]}" if name in SHOWN else name for name in sorted(names)]
                print(f"  {said}: {'; '.join(listed) or 'nothing'}")


if __name__ == "__main__":
    main()
