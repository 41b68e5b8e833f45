"""The loop over the stages: which part of the data, which adapter samples which round, and where the results stand."""
