"""`python -m service.keys new [NAME]`: makes an API key and prints it, this once, with its digest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from service.core.keys import new_key


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a new key, this once, and its digest."""
    parser = argparse.ArgumentParser(prog="python -m service.keys", description=__doc__)
    parser.add_argument("action", choices=["new"], help="make a key")
    parser.add_argument("name", nargs="?", default="", help="whose it is, for the file's reader")
    options = parser.parse_args(arguments)
    key, digest = new_key()
    sys.stdout.write(f"key     {key}\ndigest  {f'{digest} {options.name}'.strip()}\n")
    sys.stderr.write(
        "The key is shown this once: hand it to the caller. Put the digest on a line of its own in "
        "the file named by CHURN_API_KEY_FILE, or into CHURN_API_KEYS.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
