"""The bytes of a DICOM file -> which of its header's fields may name a person or a place, and whether pixels do."""

from __future__ import annotations

import io
from dataclasses import dataclass

from clincot.images import is_dicom

# Fields that DICOM PS3.15, table E.1-1 (basic profile) removes, as far as they name people, places and days; all fields
# of the kind PN (name of a person) count in addition.
FIELDS = (
    "PatientID",
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientBirthDate",
    "PatientBirthTime",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "MedicalRecordLocator",
    "MilitaryRank",
    "Occupation",
    "EthnicGroup",
    "RegionOfResidence",
    "CountryOfResidence",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "ContentDate",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "DeviceSerialNumber",
    "StudyDescription",
    "ImageComments",
    "RequestedProcedureID",
    "StudyInstanceUID",
)
LEAST = 3  # letters of a part of a name that is looked for elsewhere


@dataclass(frozen=True)
class Identifiers:
    """What a header says: `fields` (keywords, never values) that are filled, `burned_in` of the tag (None: absent).

    `stored`: how its pixels are stored.

    `patient` and `born` are the identity that the file claims; `names` are parts of its persons' names, in lower case.
    They are for comparing, not for showing.
    """

    fields: tuple[str, ...]
    stored: str
    burned_in: bool | None
    patient: str
    born: str
    names: frozenset[str]


def identifiers_of(data: bytes) -> Identifiers | None:
    """Read a DICOM header; None for other images. Raises ImportError without pydicom, ValueError for a damaged file."""
    if not is_dicom(data):
        return None
    import pydicom

    try:
        header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        filled = [(element.keyword, element.VR, str(element.value)) for element in header.iterall() if element.value]
    except Exception as error:  # pydicom's readers raise their own kinds, some of them plain Exception
        raise ValueError(f"its DICOM header cannot be read ({error})") from error
    named = [(keyword, text) for keyword, kind, text in filled if kind == "PN"]
    fields = dict.fromkeys([k for k, _ in named if k] + [k for k, _, _ in filled if k in FIELDS])
    parts = {part.strip().lower() for _, text in named for part in text.replace("^", " ").replace("=", " ").split()}
    said = str(header.get("BurnedInAnnotation", "") or "").strip().upper()
    return Identifiers(
        fields=tuple(fields),
        stored=f"{header.get('PhotometricInterpretation', '')} {header.get('BitsStored', '')} bit",
        burned_in={"YES": True, "NO": False}.get(said),
        patient=str(header.get("PatientName", "") or ""),
        born=str(header.get("PatientBirthDate", "") or ""),
        names=frozenset(part for part in parts if len(part) >= LEAST and part.isalpha()),
    )
