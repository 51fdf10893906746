"""Scored customers, kept for monitoring: JSON lines by process and day, under pseudonyms.

In the service the ledger's thread writes them, so no answer waits. What cannot be written is counted and gone:
neither a full disk nor a limit holds up anything else. `python -m churn.batch.compact_inputs` makes
parquet of the days that are over.
"""

from __future__ import annotations

import os
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from typing import Any

import msgspec

from churn.contract import DataContract
from churn.kept_inputs.pseudonym import pseudonym
from service.core.environment_settings import InputSettings
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_encode = msgspec.json.Encoder().encode

ScoredRow = tuple[datetime, Mapping[str, Any]]
"""When a customer was scored, in UTC, and the fields as they came."""


class InputLines:
    """The files of one process."""

    def __init__(
        self,
        settings: InputSettings,
        contract: DataContract,
        model: str,
        metrics: RequestMetrics,
        *,
        source: str,
    ) -> None:
        """Takes the folder, the key and the limits; touches nothing yet.

        Args:
            settings: with `keep_inputs`.
            contract: its fields are kept, and no others.
            model: whose customers they are.
            metrics: count what is kept and what is not.
            source: what scores, the first word of the files' names.
        """
        self._folder = Path(settings.inputs) / model
        self._key = settings.pseudonym_key
        self._days = settings.keep_inputs_days
        self._most = settings.keep_inputs_max_bytes
        self._id = contract.id.name
        self._names = tuple(column.name for column in contract.features)
        self._metrics = metrics
        self._name = f"{source}-{secrets.token_hex(8)}.jsonl"
        self._today = date.min
        self._written = 0
        self._logged = ""

    def write(self, rows: Iterable[ScoredRow]) -> None:
        """Appends customers to the files of their days; never raises."""
        by_day: defaultdict[date, list[bytes]] = defaultdict(list)
        given, kept = list(rows), 0
        try:
            for at, row in given:
                by_day[at.date()].append(self._line(row))
            for day, lines in by_day.items():
                kept += self._append(day, lines)
        except Exception as error:  # noqa: BLE001 - the thread has predictions to write, too
            # Only its type where it may hold a customer's values.
            self._log(getattr(error, "strerror", None) or type(error).__name__)
        self._metrics.increment("inputs_kept", kept)
        self._metrics.increment("inputs_dropped", len(given) - kept)

    def _line(self, row: Mapping[str, Any]) -> bytes:
        customer = row.get(self._id)
        who = None if customer is None else pseudonym(str(customer), self._key)
        return _encode({self._id: who} | {n: row[n] for n in self._names if n in row}) + b"\n"

    def _append(self, day: date, lines: list[bytes]) -> int:
        """Appends whole lines as far as the day's limit allows; returns how many."""
        if day > self._today:
            self._today, self._written = day, 0
            self._remove_old(day)
        if self._most:
            left, fitting = self._most - self._written, 0
            for line in lines:
                left -= len(line)
                if left < 0:
                    self._log(f"the limit of {self._most:,} bytes a day is reached")
                    break
                fitting += 1
            lines = lines[:fitting]
        if lines:
            _append_whole(self._folder / day.isoformat() / self._name, b"".join(lines))
            self._written += sum(map(len, lines))
        return len(lines)

    def _remove_old(self, today: date) -> None:
        """Deletes the JSON lines that are older than inputs may be kept."""
        if not self._folder.is_dir():
            return
        oldest = (today - timedelta(self._days)).isoformat()
        for folder in self._folder.iterdir():
            if _DAY.fullmatch(folder.name) and folder.name < oldest:
                for file in folder.glob("*.jsonl"):
                    file.unlink(missing_ok=True)

    def _log(self, reason: str) -> None:
        if reason != self._logged:
            self._logged = reason
            log("error", "inputs_not_kept", reason=reason)


def input_lines(
    settings: InputSettings,
    contract: DataContract,
    model: str,
    metrics: RequestMetrics,
    *,
    source: str,
) -> InputLines | None:
    """What keeps inputs; None where the settings say that none are kept."""
    if not settings.keep_inputs:
        return None
    return InputLines(settings, contract, model, metrics, source=source)


def _append_whole(path: Path, content: bytes) -> None:
    """Appends to a file that only its owner can read: all of it, or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(handle).st_size
        whole = False
        with suppress(OSError):
            whole = os.write(handle, content) == len(content)
        if not whole:
            os.ftruncate(handle, before)
            raise OSError(ENOSPC, os.strerror(ENOSPC))
    finally:
        os.close(handle)
