"""The looks that were taken at an experiment, a file each.

A look is kept before anybody sees it. Read again before the next one is due, an experiment shows the
same look: whoever looks as often as there is new data finds what is not there.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from churn.durable import replace_text
from churn.errors import InputError, error_reason
from churn.experiments.plan import ExperimentPlan
from churn.experiments.readout import Readout
from churn.frozen_model import first_fault

_FOLDER = "looks"


@contextmanager
def one_look_at_a_time(folder: Path, experiment: str) -> Iterator[None]:
    """Keeps another reader waiting, who shows the look that is taken here then, and takes none."""
    place = folder / _FOLDER / experiment
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_own_looks(folder: Path, plan: ExperimentPlan, taken: list[Readout]) -> None:
    """Checks that looks are not those of an earlier experiment of the same name.

    Raises:
        InputError: the first was taken before one of this experiment can be.
    """
    first_due = plan.looks[0].due
    if taken and taken[0].read_on < first_due:
        raise InputError(
            f"{folder / _FOLDER / plan.name} has a look of {taken[0].read_on}, but experiment "
            f"'{plan.name}' began on {plan.begins} and its first look is due on {first_due}: it is of an "
            "earlier experiment of that name. Move that folder away, or restore the earlier one's files."
        )


def taken_looks(folder: Path, experiment: str) -> list[Readout]:
    """The looks at an experiment, in order.

    Args:
        folder: of the campaigns.
        experiment: its name.

    Raises:
        InputError: a look's file cannot be read.
    """
    files = (folder / _FOLDER / experiment).glob("*.json")
    return sorted(map(_read, files), key=lambda each: each.look)


def keep_look(folder: Path, readout: Readout) -> None:
    """Keeps a look, whole or not at all."""
    place = folder / _FOLDER / readout.experiment / f"{readout.look}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_text(place, readout.model_dump_json(indent=1) + "\n")


def _read(path: Path) -> Readout:
    try:
        return Readout.model_validate_json(path.read_bytes())
    except ValidationError as error:
        reason = first_fault(error)
    except OSError as error:
        reason = error_reason(error)
    raise InputError(
        f"{path} cannot be read as a look that was taken: {reason}. Restore the file: without it the "
        "experiment's error rate is not known."
    )
