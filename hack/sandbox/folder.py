"""The files of a running sandbox: a folder with kubeconfig, log and addresses, and those that a user names.

Each sandbox has a folder of its own while it runs.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.sandbox.control_client import DEFAULT_FOLDER, SandboxError
from hack.sandbox.kube.store.snapshot import UnreadableStateError

_MOST = 100
_LOCK = "lock"


@contextmanager
def claimed(wanted: Path | None) -> Iterator[Path]:
    """Make the wanted folder and keep it while in the block; by default the checkout's, or the next that is free.

    Raises SandboxError if the wanted one belongs to a sandbox that runs, or if it cannot be written. The lock ends
    with the process, however that ends.
    """
    candidates = [wanted] if wanted is not None else [DEFAULT_FOLDER, *_others(DEFAULT_FOLDER)]
    for folder in candidates:
        lock = _locked(folder)
        if lock is not None:
            try:
                yield folder.resolve()
            finally:
                os.close(lock)
            return
    raise SandboxError(f"another sandbox runs in {candidates[0]}; choose another folder with --dir")


def _others(folder: Path) -> Iterator[Path]:
    for number in range(2, _MOST):
        yield folder.with_name(f"{folder.name}-{number}")


def _locked(folder: Path) -> int | None:
    """Return the open lock of a folder, or None if another process has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        raise SandboxError(f"{folder} cannot be written ({exc.strerror}); choose another folder with --dir") from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


@contextmanager
def named_file(path: Path, flag: str) -> Iterator[None]:
    """Report a file that the user named with `flag` and that cannot be used in one line, as SandboxError.

    That it can be written is tried first: what is written at the end must not be lost then.
    """
    trial = path.with_name(f"{path.name}.new")
    try:
        trial.touch()
        trial.unlink()
        yield
    except (OSError, UnreadableStateError) as exc:
        why = getattr(exc, "strerror", None) or exc
        raise SandboxError(f"{path} cannot be used ({why}); choose another with {flag}") from exc
