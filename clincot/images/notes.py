"""Encoded image bytes -> whether they say more than their pixels: headers, comments and EXIF, which may name people."""

from __future__ import annotations

import io

from PIL import Image

from clincot.images import DAMAGE, FORMATS, is_dicom

NOTES = {"exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop", "Raw profile type exif", "Raw profile type iptc"}
TIFF_TEXTS = {270, 305, 306, 315, 316, 33432}  # description, software, date, artist, computer, copyright


def carries_notes(data: bytes) -> bool:
    """Return whether the file of an image may name somebody, as far as its header says; DICOM files always may.

    False for bytes that are no image: who decodes them says so.
    """
    if is_dicom(data):
        return True
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            tags = set(getattr(opened, "tag_v2", ()))
            return bool(NOTES & set(opened.info) or getattr(opened, "text", None) or TIFF_TEXTS & tags)
    except DAMAGE:
        return False
