"""Control groups of the kernel: what processes may use of a core, or of the memory.

Needs Linux, root, and control groups (either version) that may be made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks.measuring import BenchmarkError

_GROUPS = Path("/sys/fs/cgroup")
_PERIOD = (
    100_000  # microseconds, the kernel's own; in shorter ones its slices of 5 ms weigh too much
)
_ENTER = 'echo $$ > "$0"; exec "$@"'


@contextmanager
def held(pids: Sequence[int], share: float) -> Iterator[None]:
    """Each process in a group of its own that gets this share of a core.

    Raises:
        BenchmarkError: no such group can be made here.
    """
    quota = round(share * _PERIOD)
    old = {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": str(quota)}
    with ExitStack() as groups:
        for pid in pids:
            limits = {"cpu.max": f"{quota} {_PERIOD}"}
            group = groups.enter_context(_group("cpu", str(pid), old, limits))
            try:
                (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
            except OSError as error:
                raise BenchmarkError(f"a process cannot be put into {group} ({error})") from None
        yield


def held_here() -> bool:
    """Whether this machine lets us hold a process to a share of a core."""
    try:
        with held([os.getpid()], 1.0):
            return True
    except BenchmarkError:
        return False


@contextmanager
def memory_held(size: int) -> Iterator[list[str]]:
    """Yields what a command is to begin with so that all its processes share so many bytes.

    Raises:
        BenchmarkError: no such group can be made here.
    """
    old, limits = {"memory.limit_in_bytes": str(size)}, {"memory.max": str(size)}
    with _group("memory", f"memory-{os.getpid()}", old, limits) as group:
        yield ["/bin/sh", "-c", _ENTER, str(group / "cgroup.procs")]


@contextmanager
def _group(
    controller: str, name: str, old: Mapping[str, str], limits: Mapping[str, str]
) -> Iterator[Path]:
    """A group with the limits of version 2, or the old ones where the machine has version 1."""
    first = _GROUPS / controller if (_GROUPS / controller).is_dir() else _GROUPS
    group = first / f"churn-benchmark-{name}"
    try:
        group.mkdir()
        for file, value in (limits if first == _GROUPS else old).items():
            (group / file).write_text(value, encoding="ascii")
    except OSError as error:
        with suppress(OSError):
            group.rmdir()
        raise BenchmarkError(f"no control group can be made under {first} ({error})") from None
    try:
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text(encoding="ascii").split():
            with suppress(OSError):
                (first / "cgroup.procs").write_text(pid, encoding="ascii")
        with suppress(OSError):
            group.rmdir()
