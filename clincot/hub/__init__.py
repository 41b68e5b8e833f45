"""The only code that calls a Hub: `local:PATH` or a URL -> pinned pulls, and pushes of one commit with the tag last."""

from __future__ import annotations

from clincot.hub.client import FileInfo, Hub
from clincot.hub.connect import connect
from clincot.hub.round_files import RoundFiles, parse_lineages

__all__ = ["FileInfo", "Hub", "RoundFiles", "connect", "parse_lineages"]
