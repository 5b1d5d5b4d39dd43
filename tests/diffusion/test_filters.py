import pytest

from noiseless.diffusion import Heat, PeronaMalik, filter_named
from noiseless.errors import InvalidParameter, UnknownName


def test_a_filter_by_name_has_the_fields_given():
    assert filter_named("heat", time=2.0) == Heat(time=2.0)
    assert filter_named("perona-malik") == PeronaMalik()


def test_an_unknown_filter_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'perona-malik'"):
        filter_named("perona-malick")


def test_an_unknown_field_lists_those_there_are():
    with pytest.raises(InvalidParameter, match=r"heat has no parameter 'steps'; it has time, spacing"):
        filter_named("heat", steps=3)


def test_a_field_out_of_range_is_refused():
    with pytest.raises(InvalidParameter, match="time is -1"):
        filter_named("heat", time=-1.0)
