"""Ends with one sentence and exit code 2 where a port of this machine is taken.

    python tools/free_port.py 8001 "make docs-serve DOCS_PORT=8002"

For make. No library does it: mkdocs and MLflow end with a trace, or say nothing that helps.
"""

from __future__ import annotations

import socket
import sys

LAST = 65535


def main(port: str, command: str) -> int:
    """Checks the port; `command` starts the same on another one."""
    if not port.isdigit() or int(port) > LAST:
        print(f"'{port}' is no port (1 to 65535); name one, as in: {command}", file=sys.stderr)
        return 2
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            print(
                f"Port {port} of 127.0.0.1 cannot be listened on ({error.strerror}); stop what listens "
                f"there, or name another: {command}",
                file=sys.stderr,
            )
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
