"""The one exception that a user's input can cause, and the exit codes."""

BAD_INPUT = 2  # exit codes of the command line
TERMINATED = 75  # EX_TEMPFAIL: run the same command again


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wanted, what came, and what to type instead. The
    command line prints it alone and exits with code 2; in a notebook it is a ``ValueError``.
    """
