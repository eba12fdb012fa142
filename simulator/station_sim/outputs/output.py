"""What a run writes to: the protocol, and which output an address means.

`-` is stdout, `FILE.jsonl` JSON lines, `kafka://HOST:PORT` a broker, any other path a folder of
Parquet files.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from station_sim.errors import LabError
from station_sim.outputs.lines import LinesFile
from station_sim.streams.record import Record

KAFKA = "kafka://"
LINES_SUFFIXES = (".jsonl", ".ndjson")
RECORDS_FOLDER = "records"


class Output(Protocol):
    """Takes records in sending order; `close` leaves readable files, also after a failure."""

    bytes_written: int

    def write(self, records: list[Record]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Address:
    """Where records go: exactly one of the three is set, or none of them for stdout."""

    file: Path | None = None
    folder: Path | None = None
    bootstrap: str | None = None

    @classmethod
    def of(cls, text: str) -> "Address":
        """What the user wrote after `--to`; raises `LabError` for what cannot be meant."""
        if text == "-":
            return cls()
        if text.startswith(KAFKA):
            bootstrap = text.removeprefix(KAFKA).rstrip("/")
            if not bootstrap or ":" not in bootstrap:
                raise LabError(f"{text} names no broker; write kafka://HOST:PORT")
            return cls(bootstrap=bootstrap)
        if "://" in text:
            raise LabError(f"{text} is no place to write to; there are kafka://HOST:PORT, files, -")
        path = Path(text)
        return cls(file=path) if path.suffix in LINES_SUFFIXES else cls(folder=path)


def open_files(address: Address, topics: Collection[str]) -> Output:
    """The output of an address that is not a broker.

    Raises `LabError` where files are already, or cannot be made: nothing is overwritten.
    """
    if address.folder is not None:
        from station_sim.outputs.parquet import ParquetFolder

        _require_empty(address.folder)
        return ParquetFolder(address.folder / RECORDS_FOLDER)
    if address.file is None:
        return LinesFile(sys.stdout.buffer, owned=False)
    try:
        return LinesFile(address.file.open("xb", buffering=1 << 20))
    except FileExistsError as error:
        raise LabError(f"{address.file} is there already; choose another name") from error
    except OSError as error:
        raise LabError(f"{address.file} cannot be written: {error.strerror}") from error


def _require_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        first = next(folder.iterdir(), None)
    except OSError as error:
        raise LabError(f"{folder} cannot be written: {error.strerror}") from error
    if first is not None:
        raise LabError(f"{folder} is not empty; choose another folder")
