"""`python -m service.api`: serves what the store has in production."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from churn.errors import ChurnError
from service.api.service_settings import ServiceSettings, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the settings, serves, and returns the exit code."""
    # Before numpy and LightGBM are loaded: threads that wait for one row cost more than the row.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ, **vars(options))
        settings.require_production("--store or CHURN_STORE")
        from service.api.serving import serve

        return serve(settings)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    defaults = ServiceSettings.model_fields
    parser = argparse.ArgumentParser(prog="python -m service.api", description=__doc__)
    parser.add_argument("--host", help=f"address to listen on ({defaults['host'].default})")
    parser.add_argument("--port", type=int, help=f"port ({defaults['port'].default}); 0: any free")
    parser.add_argument("--workers", type=int, help="processes that answer (1)")
    parser.add_argument("--store", help="bundle store (that of the only model in production)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
