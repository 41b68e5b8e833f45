"""The study on the phantom's version 2: its rows, what they are made from, their measures, analysis and pages."""
