"""The machine, and nothing of MRI: files, logging, the registry, memory, processes, signals."""
