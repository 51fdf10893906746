"""What the small commands of a package do alike: print a result, or say in one sentence why not."""

from __future__ import annotations

import sys
from collections.abc import Callable

from churn.errors import ChurnError

STOPPED = "Stopped by Ctrl-C; what is finished stays, and no file is half-written."


def print_result(work: Callable[[], object]) -> int:
    """Does the work of a command, prints what it returns, and returns the exit code.

    A refusal is one sentence on stderr with its own exit code; Ctrl-C is 130. So `work` must leave
    nothing half-written, whatever stops it.

    Examples:
        >>> print_result(lambda: "done")
        done
        0
    """
    try:
        sys.stdout.write(f"{work()}\n")
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write(f"{STOPPED}\n")
        return 130
    return 0
