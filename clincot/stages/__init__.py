"""The stages of a run, each one folder: files and models in, files out; they know no Hub."""
