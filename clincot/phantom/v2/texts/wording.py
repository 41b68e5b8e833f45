"""A kind of question -> the wordings that models are trained with, and those that they never meet in training."""

from __future__ import annotations

ASKED = {
    "presence": (
        "Is there a nodule?",
        "Does the radiograph show a nodule?",
        "Is a nodule present in this image?",
        "Can a nodule be seen?",
    ),
    "side": (
        "On which side is the nodule?",
        "Is the nodule on the left or the right side?",
        "Which lung holds the nodule, left or right?",
    ),
    "zone": (
        "In which lung zone is the nodule?",
        "Which zone shows the nodule, upper, middle or lower?",
        "Is the nodule in the upper, middle or lower zone?",
    ),
    "larger": (
        "On which side is the largest nodule?",
        "Which lung holds the larger nodule?",
        "Is the largest nodule on the left or the right side?",
    ),
    "count": (
        "How many nodules are there?",
        "What is the number of nodules in this image?",
        "How many nodules does the radiograph show?",
    ),
    "more": (
        "Which side has more nodules?",
        "Which lung holds more nodules, left or right?",
        "Are there more nodules on the left or the right side?",
    ),
    "second": (
        "Is there a second nodule?",
        "Is there more than one nodule?",
        "Does the radiograph show a second nodule?",
    ),
    "severity": (
        "How severe is the disease?",
        "Is the disease mild, moderate or severe?",
        "What is the severity of the disease?",
    ),
    "box": (
        "What is the box of the nodule?",
        "Give the box of the nodule.",
        "Which box holds the nodule?",
    ),
    "report": (
        "Please generate a report based on the input medical image.",
        "Write a report of this chest x-ray.",
        "Describe the findings of this radiograph in a report.",
    ),
}
UNSEEN = {
    "presence": ("Do you see any nodule here?", "Would you say that this chest holds a nodule?"),
    "side": ("The nodule lies in which lung?", "Name the side of the nodule."),
    "zone": ("Name the zone of the nodule.", "At what height does the nodule lie?"),
    "larger": ("Name the side of the nodule that is the largest.", "Where is the biggest nodule, left or right?"),
    "count": ("Count the nodules.", "Name the number of nodules."),
    "more": ("Name the side with more nodules.", "Where do you see more nodules, left or right?"),
    "second": ("Are there two nodules or more?", "Do you see another nodule?"),
    "severity": ("Grade the disease.", "Would you call the disease mild, moderate or severe?"),
    "box": ("Draw the box of the nodule.", "Where is the nodule? Answer with a box."),
    "report": ("What do you report of this image?", "Report what the radiograph shows."),
}
