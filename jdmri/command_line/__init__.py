"""From the words of a command to a mode, its flags and its config."""
