"""A DICOM's window, lookup table and padding decide the greys; no other value of the image does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from clincot.errors import UnreadableImage
from clincot.images import decode
from tests.dicoms import dicom, table

# -20 to 60 HU, as brain and blood are: 64 columns, 12 rows.
TISSUE = np.tile(np.linspace(-20, 60, 64).astype(np.int16), (12, 1))
WINDOW = {"WindowCenter": "40", "WindowWidth": "400"}


def shades(data: bytes) -> np.ndarray:
    return np.asarray(decode(data, "study-1"))[..., 0]


def with_outliers(values: np.ndarray, low: int, high: int) -> np.ndarray:
    """The same values but for the first two pixels."""
    changed = values.copy()
    changed[0, :2] = low, high
    return changed


def linear(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, written out for a range of 0 to 255."""
    return np.clip(((values - (centre - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)


@pytest.mark.parametrize(("centre", "width"), [(40, 400), (50, 100), (-600, 1500), (20, 1)])
def test_a_window_gives_the_same_greys_beside_any_outliers(centre: int, width: int):
    tags = {"WindowCenter": str(centre), "WindowWidth": str(width)}
    if width > 1:
        assert abs(shades(dicom(TISSUE, **tags)) - linear(TISSUE.astype(float), centre, width)).max() <= 0.5 + 1e-9
    alone = shades(dicom(TISSUE, **tags))
    beside = shades(dicom(with_outliers(TISSUE, -2000, 3000), **tags))
    assert np.array_equal(alone.ravel()[2:], beside.ravel()[2:])
    assert beside[0, :2].tolist() == [0, 255]


def test_faint_noise_in_a_wide_window_stays_faint():
    noise = (1000 + np.random.default_rng(0).integers(0, 11, (48, 64))).astype(np.uint16)
    found = shades(dicom(noise, BitsStored=12, HighBit=11, WindowCenter="2048", WindowWidth="4096"))
    assert (found.min(), found.max()) == (62, 63)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (None, [0, 64, 128, 192, 255]),
        ("LINEAR_EXACT", [0, 64, 128, 191, 255]),
        ("SIGMOID", [round(255 / (1 + np.exp(-4 * x))) for x in (-0.5, -0.25, 0, 0.25, 0.5)]),
    ],
)
def test_the_three_functions_of_the_standard(function: str | None, expected: list[int]):
    values = np.array([[0, 100, 200, 300, 400]], np.uint16)
    found = shades(dicom(values, WindowCenter="200", WindowWidth="400", VOILUTFunction=function))
    assert abs(found[0].astype(int) - expected).max() <= 1
    turned = shades(
        dicom(
            values,
            PhotometricInterpretation="MONOCHROME1",
            WindowCenter="200",
            WindowWidth="400",
            VOILUTFunction=function,
        )
    )
    assert abs(turned[0] + found[0].astype(int) - 255).max() <= 1


def test_a_real_valued_window_narrower_than_one_is_a_window():
    """Ratios and parametric maps have such; LINEAR, the default, has no meaning there."""
    values = np.array([[0, 100, 200]], np.uint16)
    found = shades(dicom(values, RescaleSlope="0.001", RescaleIntercept="0", WindowCenter="0.1", WindowWidth="0.4"))
    assert found.tolist() == [[64, 128, 191]]


def test_of_several_windows_the_first_usable_one_counts():
    both = dicom(TISSUE, WindowCenter=["40", "-600"], WindowWidth=["400", "1500"])
    assert np.array_equal(shades(both), shades(dicom(TISSUE, **WINDOW)))
    broken = dicom(TISSUE, WindowCenter=["0", "40"], WindowWidth=["0", "400"])
    assert np.array_equal(shades(broken), shades(dicom(TISSUE, **WINDOW)))
    for tags in ({"WindowWidth": "0", "WindowCenter": "9"}, {"WindowCenter": "9"}):
        assert np.array_equal(shades(dicom(TISSUE, **tags)), shades(dicom(TISSUE)))


def test_an_unknown_function_is_refused():
    with pytest.raises(UnreadableImage, match="study-1: .*'CUBIC'"):
        shades(dicom(TISSUE, VOILUTFunction="CUBIC", **WINDOW))


def test_a_negative_slope_is_in_the_values_and_not_in_the_window():
    stored = np.array([[0, 50, 100]], np.uint16)
    tags = {"RescaleSlope": "-1", "RescaleIntercept": "100"}
    assert shades(dicom(stored, WindowCenter="50.5", WindowWidth="101", **tags)).tolist() == [[255, 128, 0]]
    assert shades(dicom(stored, **tags)).tolist() == [[255, 128, 0]]


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_table_spans_the_greys_of_its_bits(bits: int):
    most = 2**bits - 1
    entries = [0, most // 4, most // 2, most // 2]  # its highest entry is half of what its bits can say
    stored = np.array([[90, 100, 101, 102, 103, 5000]], np.uint16)  # outside of the table: its first, its last entry
    found = shades(dicom(stored, VOILUTSequence=[table([4, 100, bits], entries)]))
    assert abs(found[0].astype(int) - [0, 0, 64, 127, 127, 127]).max() <= 1
    both = dicom(stored, VOILUTSequence=[table([4, 100, bits], entries)], WindowCenter="100", WindowWidth="2")
    assert np.array_equal(shades(both), found)


def test_a_table_takes_negative_values_and_rescaled_ones():
    stored = np.array([[1014, 1022, 1023, 1024, 1025]], np.uint16)
    lut = table([3, -2, 8], [10, 20, 30], signed=True)
    tags = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "PixelRepresentation": 0, "VOILUTSequence": [lut]}
    assert shades(dicom(stored, **tags)).tolist() == [[10, 10, 20, 30, 30]]


def test_a_modality_table_is_applied_before_the_window():
    stored = np.array([[0, 1, 2]], np.uint16)
    lut = table([3, 0, 12], [1000, 3000, 2000])
    found = shades(dicom(stored, ModalityLUTSequence=[lut], WindowCenter="2000.5", WindowWidth="2001"))
    assert abs(found[0].astype(int) - [0, 255, 128]).max() <= 1


PADDED = TISSUE.copy()
PADDED[:, :8] = -2000
PADDED[:, 8], PADDED[:, 63] = -20, 60


@pytest.mark.parametrize("window", [{}, WINDOW], ids=["no window", "window"])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("values", "tags"),
    [
        (PADDED, {"PixelPaddingValue": -2000}),
        (PADDED, {"PixelPaddingValue": -2000, "RescaleSlope": "1", "RescaleIntercept": "0"}),
        ((PADDED + 2000).astype(np.uint16), {"PixelPaddingValue": 0, "RescaleSlope": "1", "RescaleIntercept": "-2000"}),
        (PADDED, {"PixelPaddingValue": -3000, "PixelPaddingRangeLimit": -1500}),
        (PADDED, {"PixelPaddingValue": -1500, "PixelPaddingRangeLimit": -3000}),
        (PADDED, {"PixelPaddingValue": -2000, "BitsStored": 8, "HighBit": 7}),  # padding needs more than these bits
    ],
    ids=["signed", "identity", "unsigned, rescaled", "range", "range from above", "outside of the stored bits"],
)
def test_padding_is_black_and_does_not_move_the_anatomy(values: np.ndarray, tags: dict, kind: str, window: dict):
    plain = TISSUE.copy()
    plain[:, :8], plain[:, 8], plain[:, 63] = 0, -20, 60
    found = shades(dicom(values, PhotometricInterpretation=kind, **tags, **window))
    alone = shades(dicom(plain, PhotometricInterpretation=kind, **window))
    assert not found[:, :8].any()
    assert np.array_equal(found[:, 8:], alone[:, 8:])
    assert window or {int(found[0, 8]), int(found[0, 63])} == {0, 255}


def test_a_padding_value_in_the_wrong_sign_is_the_same_bits():
    """Files hold 63536 as an unsigned value where their pixels are signed: -2000 in 16 bits."""
    data = dicom(PADDED, PixelPaddingValue=-2000)
    wrong = data.replace(b"\x28\x00\x20\x01SS", b"\x28\x00\x20\x01US")
    assert wrong != data
    assert np.array_equal(shades(wrong), shades(data))


def test_an_image_of_padding_alone_is_black():
    assert not shades(dicom(np.full((4, 4), 7, np.uint16), PixelPaddingValue=7)).any()
    turned = dicom(np.full((4, 4), 7, np.uint16), PixelPaddingValue=7, PhotometricInterpretation="MONOCHROME1")
    assert not shades(turned).any()


def test_without_a_window_one_metal_pixel_does_not_blacken_the_slice():
    alone, beside = shades(dicom(TISSUE)), shades(dicom(with_outliers(TISSUE, -20, 30_000)))
    assert abs(alone.astype(int) - beside).ravel()[2:].max() <= 5
    assert beside[0, 1] == 255


def test_eight_bit_greys_are_meant_for_a_screen():
    faint = np.tile(np.arange(100, 130, dtype=np.uint8), (4, 1))
    assert np.array_equal(shades(dicom(faint)), faint)
    assert np.array_equal(shades(dicom(faint, RescaleSlope="1", RescaleIntercept="0")), faint)
    assert np.array_equal(shades(dicom(faint, PhotometricInterpretation="MONOCHROME1")), 255 - faint)
    assert np.array_equal(shades(dicom(faint.astype(np.uint16), BitsStored=8, HighBit=7)), faint)


@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_the_presentation_shape_says_the_same_as_the_photometric_interpretation(shape: str, kind: str):
    """DX names the inversion of MONOCHROME1 a second time; it happens once."""
    plain = dicom(TISSUE, PhotometricInterpretation=kind)
    assert np.array_equal(
        shades(dicom(TISSUE, PhotometricInterpretation=kind, PresentationLUTShape=shape)), shades(plain)
    )


def test_what_an_enhanced_file_says_in_nested_groups_counts():
    def item(**tags: object) -> Dataset:
        made = Dataset()
        for name, value in tags.items():
            setattr(made, name, value)
        return made

    group = item(
        FrameVOILUTSequence=[item(**WINDOW)],
        PixelValueTransformationSequence=[item(RescaleSlope="1", RescaleIntercept="-24")],
        PixelMeasuresSequence=[item(PixelSpacing=["1", "0.5"])],
    )
    stored = (TISSUE + 24).astype(np.uint16)
    nested = shades(dicom(stored, NumberOfFrames="1", SharedFunctionalGroupsSequence=[group]))
    assert nested.shape == (24, 64)
    assert np.array_equal(nested[0], shades(dicom(TISSUE, **WINDOW))[0])


@pytest.mark.parametrize("name", ["tissue_alone", "and_air_and_metal"])
def test_the_two_slices_of_one_tissue(shared_data: Path, name: str):
    file = shared_data.parent / "cases/dicom-window-restretched" / f"{name}.dcm"
    if not file.is_file():
        pytest.skip(f"no {file}")
    found = shades(file.read_bytes())[20]
    assert abs(found[[0, 32, 63]].astype(int) - [89, 115, 141]).max() <= 1


def test_the_padded_slice(shared_data: Path):
    file = shared_data.parent / "cases/dicom-padding-ignored/padding_-2000.dcm"
    if not file.is_file():
        pytest.skip(f"no {file}")
    found = shades(file.read_bytes())
    assert not found[:, :8].any()
    assert (found[0, 8], found[0, 63]) == (0, 255)
