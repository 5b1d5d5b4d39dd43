"""What a header becomes when other pixels take the place of its own: a derived image (PS3.3 C.7.6.1.1.2 and C.12.4).

New: the UIDs of the object and of its series, number and description of the series, date and time of the object, and
who modified it. The UIDs follow from the source and from what was done to it, so the files of one series stay together,
and the same work gives the same ones. ImageType begins with DERIVED and SECONDARY (enhanced objects, which know no
SECONDARY, keep their second value, and their FrameTypes change likewise); DerivationDescription says what was done,
DerivationCodeSequence that it was smoothing (DCM 113087), SourceImageSequence to what. A loss by compression stays in
the record for ever.

Dropped, as other pixels make them untrue: icons, digital signatures, the extremes of the series. All else stays,
private data too: the same patient, study, frame of reference, geometry, rescale, window and overlays.
"""

import copy
import hashlib
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from noiseless.version import __version__

SMOOTHING = codes.DCM.Smoothing
SOURCE_IMAGE = codes.DCM.SourceImageForImageProcessingOperation
MODIFIER = codes.DCM.ModifyingEquipment

UNTRUE = (
    *("IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence"),
    *("SmallestPixelValueInSeries", "LargestPixelValueInSeries"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PixelDataProviderURL"),
)
LONGEST_DESCRIPTION, LONGEST_SERIES_DESCRIPTION = 1024, 64
SUFFIX = " (denoised)"
SERIES_APART = 1000
"""Added to the number of the source's series."""


def derived(header: Any, pixel_data: bytes, description: str, *, lossy: bool) -> Any:
    """The header of an object with these pixels, plain and little-endian, in it.

    Parameters
    ----------
    header : of the source, without pixels; it is left as it is
    description : what was done, in words
    lossy : whether the source had been compressed with a loss
    """
    result = copy.deepcopy(header)
    for name in UNTRUE:
        if name in result:
            delattr(result, name)
    if result.SamplesPerPixel == 3:
        result.PhotometricInterpretation, result.PlanarConfiguration = "RGB", 0
    result.PixelData = pixel_data + b"\0" * (len(pixel_data) % 2)
    result["PixelData"].VR = "OB" if result.BitsAllocated == 8 else "OW"
    if lossy:
        result.LossyImageCompression = "01"
    _set_identity(result, header, description, pixel_data)
    _set_type(result)
    _set_derivation(result, header, description)
    _add_equipment(result)
    result.file_meta = copy.deepcopy(header.file_meta)
    result.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    result.preamble = b"\0" * 128
    return result


def _set_identity(result: Any, header: Any, description: str, pixel_data: bytes) -> None:
    work = [__version__, description]
    of_series = [str(header.get("SeriesInstanceUID", "")), *work]
    of_object = [str(header.get("SOPInstanceUID", "")), *work, hashlib.sha256(pixel_data).hexdigest()]
    result.SeriesInstanceUID = generate_uid(entropy_srcs=of_series)
    result.SOPInstanceUID = generate_uid(entropy_srcs=of_object)
    now = datetime.now().astimezone()
    result.InstanceCreationDate, result.InstanceCreationTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    if header.get("SeriesNumber") is not None:
        result.SeriesNumber = int(header.SeriesNumber) + SERIES_APART
    named = str(header.get("SeriesDescription") or "")
    result.SeriesDescription = (named[: LONGEST_SERIES_DESCRIPTION - len(SUFFIX)] + SUFFIX).strip()


def _set_type(result: Any) -> None:
    enhanced = "SharedFunctionalGroupsSequence" in result or result.SOPClassUID.name.startswith("Enhanced")
    result.ImageType = _derived_type(result.get("ImageType"), enhanced=enhanced)
    groups = [*result.get("SharedFunctionalGroupsSequence", []), *result.get("PerFrameFunctionalGroupsSequence", [])]
    for group in groups:
        for element in group:
            if element.VR == "SQ":
                for item in element.value:
                    if "FrameType" in item:
                        item.FrameType = _derived_type(item.FrameType, enhanced=True)


def _derived_type(values: Any, *, enhanced: bool) -> list[str]:
    kept = [] if values is None else [values] if isinstance(values, str) else list(values)
    return ["DERIVED", *(kept[1:2] if enhanced else ["SECONDARY"]), *kept[2:]]


def _set_derivation(result: Any, header: Any, description: str) -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    source = copy.deepcopy(reference)
    source.PurposeOfReferenceCodeSequence = Sequence([_coded(SOURCE_IMAGE)])
    said = Dataset()
    said.DerivationDescription = description[:LONGEST_DESCRIPTION]
    said.DerivationCodeSequence = Sequence([_coded(SMOOTHING)])
    said.SourceImageSequence = Sequence([source])
    if "SharedFunctionalGroupsSequence" not in result:
        result.update(said)
        return
    # Enhanced objects say it in a functional group of their frames, and name the source once more by study and series.
    for group in result.get("PerFrameFunctionalGroupsSequence", []):
        group.pop("DerivationImageSequence", None)
    result.SharedFunctionalGroupsSequence[0].DerivationImageSequence = Sequence([said])
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = header.SeriesInstanceUID, Sequence([reference])
    study.StudyInstanceUID, study.ReferencedSeriesSequence = header.StudyInstanceUID, Sequence([series])
    result.SourceImageEvidenceSequence = Sequence([study])


def _add_equipment(result: Any) -> None:
    item = Dataset()
    item.Manufacturer, item.ManufacturerModelName, item.SoftwareVersions = "noiseless", "noiseless", __version__
    item.ContributionDescription = "Removed noise"
    item.PurposeOfReferenceCodeSequence = Sequence([_coded(MODIFIER)])
    result.ContributingEquipmentSequence = Sequence([*result.get("ContributingEquipmentSequence", []), item])


def _coded(code: Any) -> Any:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
