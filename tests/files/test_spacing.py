"""Physical pixel sizes from TIFF descriptions."""

import pytest

from noiseless.files.spacing import spacing_of

OME = '<OME xmlns="x"><Image><Pixels DimensionOrder="XYZCT" {}><Channel/></Pixels></Image></OME>'


def test_imagej_gives_pixels_per_unit_and_the_distance_of_slices():
    description = "ImageJ=1.53t\nimages=5\nslices=5\nunit=micron\nspacing=2.0\nloop=false\n"
    assert spacing_of(description, (4.0, 5.0), 3) == pytest.approx((0.002, 0.0002, 0.00025))
    assert spacing_of(description, (4.0, 5.0), 2) == pytest.approx((0.0002, 0.00025))


def test_imagej_escapes_the_micro_sign():
    assert spacing_of("ImageJ=1.53t\nunit=\\u00B5m\n", (1.0, 1.0), 2) == pytest.approx((0.001, 0.001))


@pytest.mark.parametrize("description", ["ImageJ=1.53t\nunit=pixel\n", "ImageJ=1.53t\n", "a photograph", ""])
def test_without_a_physical_unit_there_is_no_spacing(description):
    assert spacing_of(description, (300.0, 300.0), 2) == ()


def test_a_volume_without_a_distance_of_slices_has_no_spacing():
    assert spacing_of("ImageJ=1.53t\nunit=mm\n", (1.0, 1.0), 3) == ()
    assert spacing_of("ImageJ=1.53t\nunit=mm\nspacing=much\n", (1.0, 1.0), 3) == ()


def test_ome_gives_sizes_with_units_and_micrometres_otherwise():
    sizes = 'PhysicalSizeX="0.5" PhysicalSizeY="500" PhysicalSizeYUnit="nm" PhysicalSizeZ="2"'
    assert spacing_of(OME.format(sizes), None, 3) == pytest.approx((0.002, 0.0005, 0.0005))


def test_ome_without_sizes_has_no_spacing():
    assert spacing_of(OME.format(""), None, 2) == ()
    assert spacing_of("<OME", None, 2) == ()
