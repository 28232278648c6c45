"""Identify a process and its machine, and find out whether it is still running."""

import os
import socket
import uuid
from typing import Any

#: Machine, process number, start of the process, and a unique name.
Owner = list[Any]


def new_owner() -> Owner:
    """Return a new owner in this process, made of built-in types that any storage takes."""
    return [this_machine(), os.getpid(), start_of_process(os.getpid()), uuid.uuid4().hex]


def is_known_dead(owner: Owner) -> bool:
    """Whether the process of an owner ran on this machine and has ended.

    Parameters
    ----------
    owner : list
        See :func:`new_owner`.

    Returns
    -------
    dead : bool
        False if this machine cannot tell.
    """
    machine, process, start, _ = owner
    return machine == this_machine() and start_of_process(process) != start


def this_machine() -> str:
    """Name the machine, or the container, within which process numbers are unique."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {namespace}"


def start_of_process(process: int) -> int | None:
    """Return when a process of this machine started, in ticks since boot.

    Parameters
    ----------
    process : int

    Returns
    -------
    start : int or None
        None if it has ended; 0 if the system does not tell.
    """
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    except (FileNotFoundError, ProcessLookupError):
        if os.path.exists("/proc/self/stat"):
            return None
    if os.name != "posix":
        return 0
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return 0
