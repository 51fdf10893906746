"""Docker's own Compose accepts the file; nothing in it is secret, root, unbounded or unpinned."""

import json
import re
import stat

import pytest
import yaml

NAME = "docker-compose"
PROFILES = {
    "": {"api"},
    "ledger": {"api", "ledger-db"},
    "batch": {"api", "batch"},
    "stream": {"api", "stream", "kafka", "redis"},
    "stream-demo": {"api", "demo-topic", "demo-worker", "simulator", "kafka", "redis"},
    "tracking": {"api", "mlflow", "mlflow-db"},
    "zenml": {"api", "zenml", "zenml-db"},
    "monitoring": {"api", "prometheus", "grafana"},
}
JOBS = {"batch", "demo-topic"}
"""They end by themselves, and are not started again."""
CLIENTS = {*JOBS, "simulator"}
"""Nobody asks them anything."""
SECRETS = {
    "CHURN_API_KEYS",
    "LEDGER_DB_PASSWORD",
    "REDIS_PASSWORD",
    "MLFLOW_DB_PASSWORD",
    "ZENML_DB_PASSWORD",
    "ZENML_JWT_KEY",
    "ZENML_ENCRYPTION_KEY",
    "GRAFANA_PASSWORD",
}


@pytest.fixture(scope="module")
def compose(root, tool, secrets_file):
    def run(*arguments, env_file=secrets_file):
        return tool(NAME, "--env-file", str(env_file), *arguments, cwd=root)

    return run


@pytest.fixture(scope="module")
def services(compose):
    answer = compose("--profile", "*", "config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["services"]


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_accepts_every_profile_and_starts_its_services(compose, profile):
    options = ["--profile", profile] if profile else []

    assert compose(*options, "config", "--quiet").returncode == 0
    names = compose(*options, "config", "--services").stdout.split()

    assert set(names) == PROFILES[profile]


def test_compose_would_refuse_a_wrong_file(root, tool, tmp_path):
    (tmp_path / "docker-compose.yml").write_text("services: {api: {image: a:1, reed_only: true}}\n")

    answer = tool(NAME, "config", "--quiet", cwd=tmp_path)

    assert answer.returncode != 0
    assert "reed_only" in answer.stderr


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_missing_secret_stops_everything_with_a_remedy(compose, secrets_file, tmp_path, name):
    lines = secrets_file.read_text().splitlines()
    fewer = tmp_path / "fewer.env"
    fewer.write_text("\n".join(line for line in lines if not line.startswith(f"{name}=")) + "\n")

    answer = compose("--profile", "*", "config", "--quiet", env_file=fewer)

    assert answer.returncode != 0
    assert (
        f"required variable {name} is missing a value: run tools/compose_secrets.py"
        in answer.stderr
    )


def test_no_secret_is_written_down(root):
    raw = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    given = {
        (service, name): str(value)
        for service, what in raw.items()
        for name, value in what.get("environment", {}).items()
        if re.search(r"PASSWORD|KEY|SECRET_|TOKEN", name) or "://" in str(value)
    }
    given.pop(("zenml-db", "MYSQL_RANDOM_ROOT_PASSWORD"))  # drawn by MySQL itself
    for where in [where for where in given if where[0] == "kafka"]:
        assert "@" not in given.pop(where)  # names of its listeners
    for service in ("api", "stream"):  # a file, or an address from the caller's own settings
        ledger = given.pop((service, "CHURN_LEDGER"))
        assert ledger == "${CHURN_LEDGER:-sqlite:////state/ledger.db}"
    example = dict(
        re.findall(r"^([A-Z_]+)=(.*)$", (root / ".env.example").read_text(), re.MULTILINE)
    )

    # Each comes from a variable that must be set: as it is, or as an address's password.
    assert len(given) >= len(SECRETS)
    for where, value in given.items():
        assert re.match(r"(\w+://\w*:)?\$\{[A-Z_]+:\?", value), where
    assert set(example) == SECRETS
    assert set(example.values()) == {""}


def test_what_is_drawn_is_new_every_time_for_the_owner_alone_and_never_written_over(
    script, secrets_file, tmp_path, capsys
):
    draw = script("compose_secrets").main
    other = tmp_path / "state" / "compose.env"

    assert draw(other) == 0
    shown = re.search(r"churn_[\w-]{40,}", capsys.readouterr().out)[0]
    before = other.read_text()
    assert draw(other) == 2

    assert other.read_text() == before
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    drawn, earlier = (dict(re.findall(r"^([A-Z_]+)=(.+)$", text, re.MULTILINE))
                      for text in (before, secrets_file.read_text()))  # fmt: skip
    assert set(drawn) == SECRETS
    assert all(drawn[name] != earlier[name] for name in SECRETS)
    assert shown not in before  # the key's digest is kept, the key is not


def test_the_printed_key_is_accepted(script, tmp_path, capsys):
    from service.core.keys import Keyring

    out = tmp_path / "compose.env"
    script("compose_secrets").main(out)
    shown = re.search(r"churn_[\w-]{40,}", capsys.readouterr().out)[0]
    digest = re.search(r"^CHURN_API_KEYS=(.+)$", out.read_text(), re.MULTILINE)[1]

    assert Keyring([digest]).is_valid(shown.encode())
    assert not Keyring([digest]).is_valid(b"another")


def test_every_container_is_held_to_little(services):
    assert set(services) == set().union(*PROFILES.values())
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert "cap_add" not in service, name


def test_roots_are_read_only_and_no_user_is_root(services):
    # ZenML's image says by itself that it is not root, and writes where it likes; Kafka's writes
    # its settings beside its programs.
    assert {"api", "zenml", "kafka"} < set(services)
    for name, service in services.items():
        if name != "zenml":
            assert service["user"].split(":")[0] not in ("", "0", "root"), name
        if name not in ("zenml", "kafka"):
            assert service["read_only"] is True, name


def test_ports_are_open_on_this_machine_alone_and_databases_nowhere(compose, services):
    networks = json.loads(compose("--profile", "*", "config", "--format", "json").stdout)[
        "networks"
    ]
    assert any(name.endswith("-db") for name in services)
    assert "redis" in services
    for name, service in services.items():
        ports = service.get("ports", [])
        assert all(port["host_ip"] == "127.0.0.1" for port in ports), name
        kept_in = name.endswith("-db") or name == "redis"
        assert bool(ports) is not (kept_in or name in CLIENTS), name
        if kept_in:
            assert len(service["networks"]) == 1, name
            assert all(networks[each].get("internal") for each in service["networks"]), name


def test_the_ledger_can_be_the_databases(compose, secrets_file, tmp_path):
    """The line of .env.example, taken into use."""
    text = secrets_file.read_text()
    password = re.search(r"^LEDGER_DB_PASSWORD=(.+)$", text, re.MULTILINE)[1]
    taken = tmp_path / "taken.env"
    taken.write_text(text.replace("#CHURN_LEDGER=", "CHURN_LEDGER="))

    answer = compose("--profile", "*", "config", "--format", "json", env_file=taken)
    services = json.loads(answer.stdout)["services"]

    for name in ("api", "stream"):
        address = services[name]["environment"]["CHURN_LEDGER"]
        assert address == f"postgresql://churn:{password}@ledger-db:5432/churn"
        assert set(services["ledger-db"]["networks"]) <= set(services[name]["networks"])
        # Waited for where the profile is on, not missed where it is off.
        assert services[name]["depends_on"]["ledger-db"]["required"] is False


def test_kafka_is_one_kraft_node_with_an_address_for_each_listener(services):
    kafka = services["kafka"]["environment"]
    listeners = dict(part.split("://") for part in kafka["KAFKA_LISTENERS"].split(","))
    addresses = dict(part.split("://") for part in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    (port,) = services["kafka"]["ports"]

    assert kafka["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert addresses["INSIDE"] == services["stream"]["environment"]["CHURN_KAFKA_SERVERS"]
    assert addresses["OUTSIDE"] == f"127.0.0.1:{port['published']}"
    assert listeners["OUTSIDE"] == f":{port['target']}"
    assert set(listeners) == set(addresses) | {kafka["KAFKA_CONTROLLER_LISTENER_NAMES"]}


def test_kafka_is_healthy_once_it_has_the_workers_topic(services):
    """The worker makes no topic, and looking for one makes none either: `up --wait` waited in vain."""
    from service.stream.stream_settings import StreamSettings

    (how, line) = services["kafka"]["healthcheck"]["test"]

    assert how == "CMD-SHELL"
    assert "kafka-topics.sh" in line
    assert "--create --if-not-exists" in line
    assert f"--topic {StreamSettings.model_fields['input_topic'].default} " in line
    assert services["stream"]["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_images_can_be_made_from_another_base(compose, root, tool, secrets_file):
    """Where these are set, `up --build` takes them; where not, the Dockerfile's own base stays."""
    ours = {"api", "batch", "stream", "demo-worker", "simulator", "mlflow"}
    options = ("--env-file", str(secrets_file), "--profile", "*", "config", "--format", "json")
    base = {"PYTHON_IMAGE": "mirror.example/python:3.11"}

    plain = json.loads(tool(NAME, *options, cwd=root).stdout)["services"]
    given = json.loads(tool(NAME, *options, cwd=root, **base).stdout)["services"]

    assert {name for name in plain if "build" in plain[name]} == ours
    for name in ours:
        assert not plain[name]["build"].get("args")
        assert given[name]["build"]["args"] == base


def test_images_are_pinned_and_ours_are_built_from_targets_that_exist(root, services):
    dockerfile = (root / "Dockerfile").read_text()
    assert any("build" in service for service in services.values())
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag), name
        if "build" in service:
            assert f"AS {service['build']['target']}\n" in dockerfile


def test_every_service_has_a_health_check(root, services):
    dockerfile = (root / "Dockerfile").read_text()
    assert any("healthcheck" not in service for service in services.values())
    for name, service in services.items():
        if "healthcheck" not in service and name not in CLIENTS:  # then its image says how
            stage = dockerfile.split(f"AS {service['build']['target']}\n")[1].split("\nFROM ")[0]
            assert "HEALTHCHECK --" in stage, name


def test_zenmls_server_is_the_version_of_its_client(root, services):
    locked = re.search(r"^zenml==(\S+)", (root / "requirements.lock").read_text(), re.MULTILINE)[1]

    assert services["zenml"]["image"] == f"zenmldocker/zenml-server:{locked}"


def test_the_store_is_read_only_and_never_made_by_the_engine(services):
    for name in ("api", "stream", "demo-worker"):
        store = next(each for each in services[name]["volumes"] if each["target"] == "/store")

        assert store["source"].endswith("/.churn/production/telco-churn")
        assert store["read_only"] is True
        assert store["bind"].get("create_host_path", False) is False


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_is_not_started_again(services, name):
    assert services[name]["restart"] == "no"


def test_a_batch_reads_the_store_alone(services):
    (store,) = [each for each in services["batch"]["volumes"] if each["type"] == "bind"]
    assert store["target"] == "/state/production/telco-churn"
    assert store["read_only"] is True


def test_a_batch_keeps_its_ledger_whatever_it_is_given(services, root):
    image = re.search(
        r"AS batch\n.*?ENTRYPOINT (\[.*?\])", (root / "Dockerfile").read_text(), re.DOTALL
    )

    entrypoint = services["batch"]["entrypoint"]

    assert entrypoint[:-2] == json.loads(image[1])
    assert entrypoint[-2] == "--set"
    assert entrypoint[-1].startswith("ledger=")


def test_the_demonstration_shares_no_topic_and_no_ledger_with_the_stream(services):
    demo = services["demo-worker"]["environment"]
    kept = [name for name in demo if name.endswith("_TOPIC") or name == "CHURN_GROUP"]

    assert len(kept) == 4
    assert all(demo[name].startswith("churn-demo") for name in kept)
    assert demo["CHURN_LEDGER"] == "none"
    assert "CHURN_REDIS" not in demo
    assert demo["CHURN_INPUT_TOPIC"] in services["demo-topic"]["command"]
    assert services["simulator"]["environment"] == demo


def test_the_worker_and_the_simulator_take_the_demonstrations_settings(services):
    from service.stream.stream_settings import read_settings

    for name in ("demo-worker", "simulator"):
        assert read_settings(services[name]["environment"]).input_topic == "churn-demo-customers"
