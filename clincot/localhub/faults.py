"""Faults a test asks for and the requests that came -> which request fails how, and a record of each."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

KEPT_RECORDS = 20_000


@dataclass(frozen=True)
class RequestRecord:
    """One answered request; `bytes` counts both bodies, `fault` names the injected fault, tickets are cut out."""

    method: str
    path: str
    query: str
    status: int
    authenticated: bool
    user_agent: str
    bytes: int
    fault: str | None
    milliseconds: float


@dataclass
class Fault:
    """What happens to the requests whose path matches, from the `skip`-th on, `times` times.

    Without `after`, `status` (with `headers`, `body`) is answered instead of doing the work; None only waits `delay`
    seconds. With `after` the work is done first. `drop` closes the connection in place of an answer, `truncate` does
    the work and closes it after that many bytes of the body.
    """

    match: str
    method: str | None = None
    status: int | None = 503
    times: int = 1
    skip: int = 0
    after: bool = False
    drop: bool = False
    delay: float = 0
    truncate: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def name(self) -> str:
        what = "drop" if self.drop else f"truncate {self.truncate}" if self.truncate is not None else str(self.status)
        return f"{what}{' after' if self.after else ''} {self.match}"

    def matches(self, method: str, path: str) -> bool:
        return self.method in (None, method) and re.search(self.match, path) is not None


class Log:
    """The faults still to happen and the records so far, shared by the server's threads."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.records: list[RequestRecord] = []
        self.guard = threading.Lock()

    def pick(self, method: str, path: str) -> Fault | None:
        """The first fault due for this request; its counters move."""
        with self.guard:
            for fault in self.faults:
                if fault.times > 0 and fault.matches(method, path):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def add(self, record: RequestRecord) -> None:
        with self.guard:
            self.records.append(record)
            if len(self.records) > KEPT_RECORDS:  # a server that runs for weeks
                del self.records[: KEPT_RECORDS // 2]
