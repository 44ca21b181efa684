"""One training run: from a config to checkpoints."""
