"""`python -m service.api`: serves what the store has in production."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.errors import ChurnError, InputError
from service.api.service_settings import Settings, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the settings, serves, and returns the exit code."""
    # Before numpy and LightGBM are loaded: threads that wait for one row cost more than the row.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    asked = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ, **vars(asked))
        _require_something_to_serve(settings)
        from service.api.serving import serve

        return serve(settings)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0


def _require_something_to_serve(settings: Settings) -> None:
    store = settings.store
    if "://" not in store and not (Path(store) / "current.json").is_file():
        raise InputError(
            f"Nothing is in production in {store}. Run `python run.py --pipeline promotion` first, "
            "or name another store with --store or CHURN_STORE."
        )


def _parser() -> argparse.ArgumentParser:
    defaults = Settings.model_fields
    parser = argparse.ArgumentParser(prog="python -m service.api", description=__doc__)
    parser.add_argument("--host", help=f"address to listen on ({defaults['host'].default})")
    parser.add_argument("--port", type=int, help=f"port ({defaults['port'].default}); 0: any free")
    parser.add_argument("--workers", type=int, help="processes that answer (1)")
    parser.add_argument("--store", help=f"bundle store ({defaults['store'].default})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
