"""The logger of jdmri: plain lines on stderr, apart from what Orbax and JAX log."""

import logging

log = logging.getLogger("jdmri")


def show() -> None:
    """Print messages from INFO upwards; for the command line."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
