"""Which job an output is of: a new one, one that goes on, one that is complete; anything else is refused."""

from __future__ import annotations

from pydantic import ValidationError

from churn.batch.job import JOB, BatchJob
from churn.batch.manifest import MANIFEST, REJECTED_FILE, BatchManifest
from churn.batch.output_folder import OutputFolder
from churn.batch.part import PROGRESS, SCORES, are_as_recorded
from churn.errors import InputError

_ANOTHER = "Name another output, or remove this one"


def read_job(folder: OutputFolder) -> BatchJob | None:
    """The job of an output; None where it has none yet.

    Raises:
        InputError: it holds something else.
    """
    content = folder.read(JOB)
    if content is None:
        strangers = folder.names()
        if strangers:
            raise InputError(
                f"The output {folder.shown} holds something else ({strangers[0]}). Name a new or an "
                "empty folder with --set output=PATH."
            )
        return None
    try:
        return BatchJob.model_validate_json(content)
    except ValidationError:
        raise InputError(
            f"The output {folder.shown} has a {JOB} that no batch of this release wrote. {_ANOTHER}."
        ) from None


def settle_job(
    folder: OutputFolder, requested: BatchJob, version: str = "", *, replaces: bool = False
) -> tuple[BatchJob, BatchManifest | None]:
    """Returns the job to do, written to the folder, and the manifest if it is complete already.

    Args:
        folder: the output.
        requested: the job as it would be if it began now.
        version: the version that is asked for by name; empty for the one in production.
        replaces: whether another job gives way to the requested one.

    Raises:
        InputError: the folder is of another job, and that does not give way.
    """
    job, manifest = read_job(folder), _read_manifest(folder)
    complete = manifest is not None and manifest.status == "complete"
    refusal = "" if job is None else _another(folder, job, requested, version, complete=complete)
    if refusal and not replaces:
        raise InputError(refusal)
    if job is None or refusal:
        if job is not None:
            discard(folder)
        folder.write_first(JOB, requested.model_dump_json(indent=1).encode())
        return requested, None
    if manifest is not None and complete and _is_whole(folder, job, manifest):
        return job, manifest
    folder.remove(MANIFEST)  # if the input was refused, what is allowed may have changed since
    return job, None


def _another(
    folder: OutputFolder, job: BatchJob, requested: BatchJob, version: str, *, complete: bool
) -> str:
    """Why the folder's job is not the requested one; empty if it is."""
    other = job.differences(requested)
    if version and job.version != requested.version:
        other.append("version")
    if other:
        state = "the scores of another job" if complete else "another job, unfinished"
        return (
            f"The output {folder.shown} holds {state}: {', '.join(other)} "
            f"differ{'s' if len(other) == 1 else ''}. {_ANOTHER}."
        )
    if complete and job.version != requested.version:
        return (
            f"The output {folder.shown} holds the scores of version {job.version}, and version "
            f"{requested.version} is in production by now. {_ANOTHER}."
        )
    return ""


def _is_whole(folder: OutputFolder, job: BatchJob, manifest: BatchManifest) -> bool:
    """Whether the output still is what its manifest says."""
    files = (*manifest.parts, manifest.rejected_rows)
    return manifest.job == job and are_as_recorded(folder, files)


def discard(folder: OutputFolder) -> None:
    """Removes all that a job has written, the job last."""
    for name in folder.names():
        if name.startswith((f"{PROGRESS}/", f"{SCORES}/")):
            folder.remove(name)
    for name in (MANIFEST, REJECTED_FILE, JOB):
        folder.remove(name)


def _read_manifest(folder: OutputFolder) -> BatchManifest | None:
    content = folder.read(MANIFEST)
    try:
        return None if content is None else BatchManifest.model_validate_json(content)
    except ValidationError:
        raise InputError(
            f"The output {folder.shown} has a {MANIFEST} that no batch of this release wrote. {_ANOTHER}."
        ) from None


def remove_progress(folder: OutputFolder) -> None:
    """Removes what only an unfinished job needs."""
    for name in folder.names():
        if name.startswith(f"{PROGRESS}/"):
            folder.remove(name)
