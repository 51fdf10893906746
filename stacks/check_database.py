"""`python -m stacks.check_database`: checks ZenML's store, or an MLflow database, in one sentence.

python -m stacks.check_database                     (make dashboard)
python -m stacks.check_database .churn/mlflow.db    (make mlflow)
"""

from __future__ import annotations

import sys
from pathlib import Path

from churn.errors import ChurnError
from churn.home import home
from stacks.library_database import MLFLOW, require_database
from stacks.zenml_store import require_store


def main(files: list[str]) -> int:
    """Checks the MLflow databases that are named, or else ZenML's store; returns the exit code."""
    try:
        for file in files:
            require_database(MLFLOW, Path(file), "move it away; make train starts a new one")
        if not files:
            require_store(home())
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
