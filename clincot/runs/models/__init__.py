"""The models of a run: roles of the setting -> pinned repositories, loaded models and adapters of rounds."""
