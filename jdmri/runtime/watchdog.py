"""Ends this process when another one of the same training is gone, instead of waiting for it forever.

JAX notices a missing process by its heartbeats, after 100 s, and aborts with a stack trace. Here each process holds a connection to the first
one, which the system closes with the process: the others end within a second. Heartbeats remain for machines that lose power.
"""

import atexit
import os
import socket
import sys
import threading

import jax
import numpy as np
from jax.experimental import multihost_utils

from jdmri.errors import TERMINATED

_TOKEN = os.urandom(16)  # of the first process: nobody else's connection is taken for a process
_BYE = b"."


def watch() -> None:
    """Connect all processes, and begin to watch; to be called once, by all."""
    listener = socket.create_server(("", 0)) if jax.process_index() == 0 else None
    host, port, token = _agree(listener)
    if listener is not None:
        peers = [_accept(listener, token) for _ in range(jax.process_count() - 1)]
        listener.close()
    else:
        peers = [socket.create_connection((host, port), timeout=60)]
        peers[0].settimeout(None)
        peers[0].sendall(token)
    for peer in peers:
        threading.Thread(target=_wait, args=(peer,), daemon=True).start()
    atexit.register(_say_goodbye, peers)


def _agree(listener: socket.socket | None) -> tuple[str, int, bytes]:
    """Let all know where the first process listens."""
    own = b"" if listener is None else _where(listener)
    padded = np.frombuffer(own.ljust(300, b"\0"), np.uint8)
    told = multihost_utils.broadcast_one_to_all(padded).tobytes()
    port, host = told[16:].rstrip(b"\0").decode().split(" ", 1)
    return host, int(port), told[:16]


def _where(listener: socket.socket) -> bytes:
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:  # a machine that does not know its own name trains alone
        name = "localhost"
    return _TOKEN + f"{listener.getsockname()[1]} {name}".encode()


def _accept(listener: socket.socket, token: bytes) -> socket.socket:
    listener.settimeout(120)
    while True:
        peer, _ = listener.accept()
        peer.settimeout(10)
        try:
            if peer.recv(len(token), socket.MSG_WAITALL) == token:
                peer.settimeout(None)
                return peer
        except OSError:
            pass
        peer.close()


def _wait(peer: socket.socket) -> None:
    """Block until the other process says goodbye, or is gone."""
    try:
        said = peer.recv(1)
    except OSError:
        said = b""
    if said != _BYE:
        sys.stderr.write(
            "\njdmri: another process is gone. The same command continues from the last save.\n"
        )
        sys.stderr.flush()
        os._exit(TERMINATED)


def _say_goodbye(peers: list[socket.socket]) -> None:
    for peer in peers:
        try:
            peer.sendall(_BYE)
        except OSError:
            continue
