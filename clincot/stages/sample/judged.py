"""A method's request for a rating and the images of its example -> what a judge or the critic is asked."""

from __future__ import annotations

from clincot.chain.layout import Display
from clincot.chain.prompts import region_facts
from clincot.judges.base import JudgeRequest
from clincot.methods.base import Rate


def judged(rate: Rate, display: Display) -> JudgeRequest:
    """Return the request with its images encoded and the facts of its region in words."""
    example, facts = rate.example, None
    if rate.region is not None:
        facts = region_facts(rate.region, display.gallery.image(example.id).size)
    asked = (example.question, rate.reference, rate.findings, rate.text, rate.report, facts)
    return JudgeRequest(*asked, images=display.encoded(example.id, rate.seen), rubric=rate.rubric)
