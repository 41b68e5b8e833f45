"""A DICOM image and a keyword -> the value in its header, for splits by patient."""

from __future__ import annotations

import io

from clincot.errors import DataError
from clincot.records.stored_images import ImageFile, StoredImage


def tag_of(image: ImageFile | StoredImage, keyword: str, where: str) -> str:
    """Return the value of `keyword` ("PatientID"), "" where the header has none.

    Raises DataError for an image that is no DICOM file, and without pydicom.
    """
    try:
        import pydicom
    except ImportError as error:
        raise DataError(f"{where}: dicom:{keyword} needs pydicom. Install `clincot[dicom]`.") from error
    from pydicom.datadict import tag_for_keyword
    from pydicom.errors import InvalidDicomError

    if tag_for_keyword(keyword) is None:
        raise DataError(f"{where}: dicom:{keyword}: DICOM knows no such keyword. Write dicom:PatientID.")
    try:
        header = pydicom.dcmread(io.BytesIO(image.read()), stop_before_pixels=True, specific_tags=[keyword])
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise DataError(f"{where}: its image is no DICOM file ({error}). Name a column as patient.") from error
    return str(header.get(keyword, "") or "").strip()
