"""Starts Spark, or joins the application that `spark-submit` has started, and says what is missing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from churn.errors import ChurnError, InputError, error_reason
from churn.root import ROOT
from churn.scratch import scratch_folder

_JAVA = 17
_PYSPARK = 4
_CHUNK_BYTES = 256 * 2**20
_MASTER_SECONDS = 5
_OR_LOCAL = "or leave out engine=spark"
_GATEWAY = "PYSPARK_GATEWAY_PORT"  # set by spark-submit, which has started Java already


@contextmanager
def spark_session(master: str = "") -> Iterator[Any]:
    """A Spark session whose workers have this code; stopped at the end.

    Args:
        master: address of the cluster; empty for what spark-submit or Spark's own configuration says.

    Raises:
        InputError: PySpark or Java is missing, or of a version that does not fit.
        ChurnError: the master does not answer, or Spark does not start.
    """
    _require_pyspark()
    if _GATEWAY not in os.environ:
        _require_java()
    _require_master(master)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nothing is opened to the network
    with scratch_folder("spark") as scratch:
        try:
            session = _started(master)
        except (PySparkException, Py4JError, OSError, RuntimeError) as error:
            raise ChurnError(
                f"Spark does not start: {error_reason(error, longest=300)}. Correct the master's "
                f"address or Spark's configuration, {_OR_LOCAL}."
            ) from None
        try:
            _require_same_version(session)
            code = shutil.make_archive(str(scratch / "churn"), "zip", ROOT, "churn")
            session.sparkContext.addPyFile(code)
            yield session
        except (PySparkException, Py4JError) as error:
            raise ChurnError(
                f"Spark has stopped the job: {error_reason(error, longest=500)}. Mend that, and run "
                "the same command again: it goes on where it stopped."
            ) from None
        finally:
            session.stop()


def _started(master: str) -> Any:
    from pyspark.sql import SparkSession

    builder: Any = SparkSession.builder
    if master:
        builder = builder.master(master)
    settings = {
        "spark.ui.showConsoleProgress": "false",
        # A row is a chunk here: one at a time, whatever the cluster's own limits are.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "1",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(_CHUNK_BYTES),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.appName("churn batch inference").getOrCreate()


def _require_pyspark() -> None:
    try:
        import pyspark
    except ImportError:
        raise InputError(
            "engine=spark needs PySpark, which is not installed here. Install the extra `spark` "
            f"(pyproject.toml has its release), {_OR_LOCAL}."
        ) from None
    if int(pyspark.__version__.partition(".")[0]) != _PYSPARK:
        raise InputError(
            f"engine=spark needs PySpark {_PYSPARK}, and {pyspark.__version__} is installed here. "
            f"Install the extra `spark`, {_OR_LOCAL}."
        )


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not os.access(java, os.X_OK):
        where = f"in JAVA_HOME ({home})" if home else "here"
        raise InputError(
            f"engine=spark needs Java {_JAVA} or later, and there is none {where}. Install it (on "
            f"Debian: apt-get install default-jre-headless), {_OR_LOCAL}."
        )
    answer = subprocess.run(  # noqa: S603 - the user's own Java
        [java, "-version"], capture_output=True, text=True, check=False
    )
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    if found is None or int(found[1]) < _JAVA:
        what = f"Java {found[1]}" if found else "something else"
        raise InputError(
            f"engine=spark needs Java {_JAVA} or later, and {java} is {what}. Set JAVA_HOME to a "
            f"newer one, {_OR_LOCAL}."
        )


def _require_master(master: str) -> None:
    """Looks for a master of Spark's own: Spark itself would try for a minute, and not say why."""
    places = master.removeprefix("spark://")
    if places == master:
        return
    faults = []
    for place in places.split(","):  # the second one is for when the first is away
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host, int(port)), _MASTER_SECONDS).close()
        except (OSError, ValueError) as error:
            faults.append(f"{place}: {error_reason(error)}")
        else:
            return
    raise ChurnError(
        f"Spark's master does not answer ({'; '.join(faults)}). Start it, or correct spark_master, "
        f"{_OR_LOCAL}."
    )


def _require_same_version(session: Any) -> None:
    import pyspark

    theirs, ours = session.version.split(".")[:2], pyspark.__version__.split(".")[:2]
    if theirs != ours:
        raise InputError(
            f"The cluster runs Spark {session.version}, and PySpark {pyspark.__version__} is "
            f"installed here. Install PySpark {'.'.join(theirs)} here, {_OR_LOCAL}."
        )
