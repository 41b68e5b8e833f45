"""A recipe and a machine -> versions, devices and the memory of each stage against what is there."""
