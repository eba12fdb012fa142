"""A program of its own that keeps a child process from outliving whoever started it.

    python leash.py DIRECTORY LOG COMMAND...

It runs COMMAND with its output in LOG and prints the child's process id. Lines on standard input
are orders: `stop` (SIGTERM, then SIGKILL) and `kill` (SIGKILL). The end of standard input means
that the starter is gone, however it ended: the child is stopped and DIRECTORY removed. It exits
with the child's exit code.

Only the standard library is imported, so that it starts quickly (`python -I -S`).
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0
"""How long a child may take to end in order before it is killed."""

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command that `sys.argv` names; returns its exit code."""
    directory, log_path, *command = sys.argv[1:]
    with open(log_path, "ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_leash if sys.platform == "linux" else None,
        )
    print(child.pid, flush=True)
    abandoned = threading.Event()
    threading.Thread(target=_obey, args=(child, abandoned), daemon=True).start()
    exit_code = child.wait()
    if abandoned.is_set():
        shutil.rmtree(directory, ignore_errors=True)
    return exit_code if exit_code >= 0 else 128 - exit_code


def _die_with_leash() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _obey(child: "subprocess.Popen[bytes]", abandoned: threading.Event) -> None:
    for order in sys.stdin.buffer:
        if order == b"kill\n":
            child.kill()
        else:
            _stop(child)
    abandoned.set()
    _stop(child)


def _stop(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    # The reading thread may hold standard input, which an orderly exit would wait for.
    status = main()
    sys.stdout.flush()
    os._exit(status)
