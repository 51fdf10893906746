"""`noida-db`, a small program that speaks Kafka's protocol: for demonstrations and tests, not for work."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from churn.errors import InputError


def broker_command(port: int, folder: Path) -> list[str]:
    """Returns what starts it on a port of this machine; it keeps its topics in the folder.

    Raises:
        InputError: it is not installed.
    """
    found = find_spec("noida_db")
    if found is None or found.origin is None:
        raise InputError(
            "The development broker noida-db is not installed. Run `make setup-dev`, or name a real "
            "broker with --servers host:port."
        )
    # The program itself, not the script around it, which would not hand a signal on.
    program = Path(found.origin).with_name("noida-db")
    program.chmod(0o755)
    where = ("--kafka-port", str(port), "--data-dir", str(folder))
    return [str(program), "start", "--only", "kafka", *where]
