"""The demonstration's parts: which model it takes, its broker, and the processes that it starts."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest
from kafka.protocol.admin import DeleteGroupsResponse, DeleteTopicsResponse
from kafka.protocol.metadata import FindCoordinatorResponse
from worker_process import wait_until

from churn.errors import ChurnError, InputError
from service.stream import development_broker
from service.stream.child_process import ChildProcess
from service.stream.demo import find_store, main, own_topics
from service.stream.development_broker import broker_command
from service.stream.transports import open_session

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def produce(published_store, tmp_path):
    """Puts models into production in a folder of the test's own; its environment."""

    def put(*names):
        for name in names:
            shutil.copytree(published_store, tmp_path / "production" / name)
        return {"CHURN_HOME": str(tmp_path)}

    return put


def test_it_takes_the_model_in_production_before_a_demonstrations(produce):
    environment = produce("telco-churn", "telco-churn-demo")
    assert Path(find_store(environment)).name == "telco-churn"


def test_it_takes_a_demonstrations_model_where_nothing_is_in_production(produce):
    assert Path(find_store(produce("telco-churn-demo"))).name == "telco-churn-demo"


def test_it_takes_the_store_that_is_named(produce, published_store):
    environment = produce("a-churn", "b-churn") | {"CHURN_STORE": str(published_store)}
    assert find_store(environment) == str(published_store)


def test_without_any_model_it_names_the_command_that_trains_one(produce):
    with pytest.raises(InputError, match=r"no demonstration's model is there. `make stream-demo`"):
        find_store(produce())


def test_of_several_models_one_must_be_named(produce):
    with pytest.raises(InputError, match=r"2 models have a version in production.*CHURN_STORE"):
        find_store(produce("a-churn", "b-churn"))


def test_without_the_development_broker_the_way_out_is_a_real_one(monkeypatch, tmp_path):
    monkeypatch.setattr(development_broker, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"not installed. Run `make setup-dev`, or .* --servers"):
        broker_command(9092, tmp_path)


def test_it_removes_its_topics_and_its_group_and_names_a_topic_that_was_there_before(
    broker, stream, capsys
):
    names = [f"demo-{kind}-{stream.group}"[:200] for kind in ("input", "output", "rejected")]
    settings = stream.model_copy(
        update=dict(zip(("input_topic", "output_topic", "dead_letter_topic"), names, strict=True))
    )
    broker.topics(names[0])

    with own_topics(settings):
        session = open_session(settings)
        wait_until(lambda: session.poll(0.1) == [] and session.is_member)
        session.close()
        during = broker.names()

    assert during >= set(names)
    assert broker.names() & set(names) == {names[0]}
    assert broker.group_state(settings.group) == "Dead"
    assert capsys.readouterr().err == f"These topics stay at the brokers: {names[0]}.\n"


def refused(code, topic):
    """Changes that put an error's code into the answers of a broker, by which request they are of."""

    def change_topics(response):
        (answer,) = (each for each in response.responses if each.name == topic)
        answer.error_code = code

    def change_groups(response):
        response.results[0].error_code = code

    def change_coordinators(response):
        for each in getattr(response, "coordinators", None) or [response]:
            each.error_code = code

    return {
        "topics": {DeleteTopicsResponse: change_topics},
        "groups": {DeleteGroupsResponse: change_groups},
        "coordinators": {FindCoordinatorResponse: change_coordinators},
    }


@pytest.mark.parametrize(
    ("request_of", "code", "said"),
    [
        ("groups", 68, "The group {group} stays at the brokers: NonEmptyGroupError.\n"),
        ("groups", 69, ""),  # nobody has read as this group
        ("coordinators", 30, "The group {group} stays at the brokers: GroupAuthorizationFailedError.\n"),
        ("topics", 3, ""),
        ("topics", 29, "These topics stay at the brokers: {topic}.\n"),
    ],
)  # fmt: skip
def test_it_says_what_the_brokers_did_not_remove_and_nothing_else(
    broker, proxy, proxied, capsys, request_of, code, said
):
    names = [f"left-{request_of}-{code}-{kind}" for kind in ("input", "output", "rejected")]
    settings = proxied.model_copy(
        update=dict(zip(("input_topic", "output_topic", "dead_letter_topic"), names, strict=True))
    )

    with own_topics(settings):
        proxy.changes = refused(code, names[0])[request_of]

    assert capsys.readouterr().err == said.format(group=settings.group, topic=names[0])
    assert not broker.names() & set(names)


def start(folder, code):
    return ChildProcess("worker", [sys.executable, "-c", code], folder, {})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('one'); print('two')", "The worker has ended: two"),
        ('print(\'{"reason": "No broker."}\')', "The worker has ended: No broker."),
        ("raise SystemExit(3)", "The worker has ended: exit code 3."),
    ],
)
def test_a_process_that_ends_by_itself_says_why(tmp_path, code, said):
    process = start(tmp_path, code)
    process._process.wait(60)
    with pytest.raises(ChurnError) as caught:
        process.check()
    assert str(caught.value) == said
    process.stop()


def test_a_process_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("service.stream.child_process._STOP_SECONDS", 0.1)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(99)"
    process = start(tmp_path, code)
    while not process.log():
        process.check()
    process.stop()
    assert process._process.returncode == -9


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--rate", "0"), "rate is '0'"),
        (("--scenario", "price_raise"), "Did you mean 'price_rise'"),
        (("--seconds", "0"), "--seconds is 0. Give a number above 0"),
        (("--seconds", "nan"), "--seconds is nan. Give a number above 0"),
    ],
)
def test_what_the_simulator_would_refuse_is_refused_before_anything_starts(
    capsys, option, sentence
):
    handlers = [signal.getsignal(number) for number in SIGNALS]
    try:
        assert main(list(option)) == 2
    finally:
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
    said = capsys.readouterr().err
    assert sentence in said
    assert "starting" not in said
