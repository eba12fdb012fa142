"""Files kept open for writing, up to a bound: beyond it the one used longest ago is closed."""

import os
from collections import OrderedDict
from pathlib import Path

OPEN_FILES_MAX = 256
"""Well below the usual limit of 1,024, which connections need too."""


class OpenFiles:
    """Descriptors of files that are written to again and again."""

    def __init__(self, limit: int = OPEN_FILES_MAX) -> None:
        self._limit = limit
        self._descriptors: OrderedDict[Path, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._descriptors)

    def descriptor(self, path: Path) -> int:
        """The descriptor of a file, which is made if it is not there. Raises: OSError."""
        known = self._descriptors.get(path)
        if known is not None:
            self._descriptors.move_to_end(path)
            return known
        if len(self._descriptors) >= self._limit:
            os.close(self._descriptors.popitem(last=False)[1])
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._descriptors[path] = opened
        return opened

    def close(self, path: Path) -> None:
        """Close a file, if it is open."""
        known = self._descriptors.pop(path, None)
        if known is not None:
            os.close(known)

    def close_all(self) -> None:
        """Close everything."""
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])
