"""What is missing for Spark is said in one sentence, before anything is started."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace

import pytest

from churn.batch import spark_session
from churn.batch.spark_session import spark_session as session
from churn.errors import ChurnError, InputError
from tests.servers.process import free_port

pyspark = pytest.importorskip("pyspark", reason="the extra 'spark' is not installed")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("JAVA_HOME", "PYSPARK_GATEWAY_PORT", "SPARK_LOCAL_IP", "PYSPARK_PYTHON"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def java(tmp_path, monkeypatch):
    """Makes a `java` that says which version it is, in JAVA_HOME."""

    def install(says: str) -> None:
        binary = tmp_path / "jre" / "bin" / "java"
        binary.parent.mkdir(parents=True)
        binary.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
        binary.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jre"))

    return install


def refused(kind=InputError) -> str:
    with pytest.raises(kind) as error, session("local[1]"):
        pass
    return str(error.value)


def test_without_pyspark(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)

    said = refused()

    assert said.startswith(
        "engine=spark needs PySpark, which is not installed here. Install the extra"
    )


@pytest.mark.parametrize("version", ["3.5.7", "5.0.0"])
def test_pyspark_of_another_generation(monkeypatch, version):
    monkeypatch.setattr(pyspark, "__version__", version)

    assert f"needs PySpark 4, and {version} is installed here" in refused()


def test_without_java(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "needs Java 17 or later, and there is none here. Install it" in refused()


def test_java_home_without_java(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    assert f"there is none in JAVA_HOME ({tmp_path})" in refused()


@pytest.mark.parametrize(
    ("says", "is_what"),
    [
        ('openjdk version "11.0.28" 2025-07-15', "Java 11"),
        ('java version "1.8.0_462"', "Java 8"),
        ("Segmentation fault", "something else"),
    ],
)
def test_java_that_is_too_old(java, says, is_what):
    java(says)

    assert f"java is {is_what}. Set JAVA_HOME to a newer one" in refused()


@pytest.mark.parametrize("says", ['openjdk version "17.0.15"', 'openjdk version "21" 2023-09-19'])
def test_java_that_fits_goes_on_to_start_spark(java, monkeypatch, says):
    java(says)
    monkeypatch.setattr(spark_session, "_started", lambda _master: 1 / 0)

    with pytest.raises(ZeroDivisionError), session("local[1]"):
        pass


def test_spark_that_does_not_start(java, monkeypatch):
    java('openjdk version "17.0.15"')

    def fail(_master):
        raise RuntimeError("Java gateway process exited\nbefore sending its port number.")

    monkeypatch.setattr(spark_session, "_started", fail)

    said = refused(ChurnError)

    assert said.startswith("Spark does not start: Java gateway process exited before sending its")


def test_a_master_that_does_not_answer(java):
    java('openjdk version "17.0.15"')
    closed = free_port()

    with (
        pytest.raises(
            ChurnError, match=f"master does not answer .*:{closed}: .*refused.*: "
        ) as said,
        session(f"spark://127.0.0.1:{closed},nowhere"),
    ):
        pass

    assert str(said.value).endswith("correct spark_master, or leave out engine=spark.")


def test_one_master_of_two_that_answers_goes_on_to_start_spark(java, monkeypatch):
    java('openjdk version "17.0.15"')
    monkeypatch.setattr(spark_session, "_started", lambda _master: 1 / 0)

    with socket.create_server(("127.0.0.1", 0)) as master:
        places = f"127.0.0.1:{free_port()},127.0.0.1:{master.getsockname()[1]}"
        with pytest.raises(ZeroDivisionError), session(f"spark://{places}"):
            pass


def test_a_cluster_of_another_version(java, monkeypatch):
    java('openjdk version "17.0.15"')
    stopped = []
    cluster = SimpleNamespace(version="4.0.1", stop=lambda: stopped.append(True))
    monkeypatch.setattr(spark_session, "_started", lambda _master: cluster)

    said = refused()

    assert said.startswith("The cluster runs Spark 4.0.1, and PySpark 4.")
    assert "Install PySpark 4.0 here" in said
    assert stopped == [True]


def test_spark_submit_has_started_java_already(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setattr(spark_session, "_started", lambda _master: 1 / 0)

    with pytest.raises(ZeroDivisionError), session():
        pass
