"""One interface, with and without Feast: the same answers from the past and of now."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churn.data import Dataset
from churn.errors import InputError
from churn.feature_store.build import build_features
from churn.feature_store.materialize import materialize
from churn.feature_store.online.address import open_online_store
from churn.feature_store.store import import_feast, open_feature_store
from churn.features.feature_set import feature_set

ROOT = Path(__file__).resolve().parents[3]
OLDEST = timedelta(days=30)
NAMES = ["Contract", "tenure", "MonthlyCharges", "billed_gap", "service_count", "tenure_bucket"]


@pytest.fixture(scope="module")
def filled(few, tmp_path_factory):
    """Five tables of the same customers, whose bills rise; all of them written online."""
    from churn.feature_store.build import BuildContext
    from churn.feature_store.offline_store import OfflineStore
    from tests.churn.feature_store.conftest import NOW

    folder = tmp_path_factory.mktemp("filled")
    store, online = OfflineStore(folder / "home"), f"sqlite:///{folder / 'online.db'}"
    for number in range(5):
        frame = few.frame.iloc[number:].reset_index(drop=True)
        bills = frame["MonthlyCharges"] + number / 10
        table = Dataset(
            frame.assign(MonthlyCharges=bills),
            few.contract,
            replace(few.source, sha256=f"{number:064x}"),
        )
        # The last two describe the same moment: the one built later is right.
        observed = NOW - timedelta(days=100 - 20 * min(number, 3))
        context = BuildContext(created=NOW + timedelta(minutes=number), observed=observed)
        made = build_features(table, store, context).provenance
        with open_online_store(few.contract, online) as opened:
            materialize(made, store, opened, locks=folder)
    return store, online, made


@pytest.fixture(scope="module", params=["own", "feast"])
def opened(request, filled, few, tmp_path_factory):
    store, online, made = filled
    repository = None
    if request.param == "feast":
        repository = import_feast().write_repository(
            store, made, folder=tmp_path_factory.mktemp("feast"), online=online, oldest=OLDEST
        )
    return open_feature_store(
        few.contract, store.place, online=online, feast=repository, oldest=OLDEST
    )


@pytest.fixture(scope="module")
def moments(few):
    from tests.churn.feature_store.conftest import NOW

    generator = np.random.default_rng(5)
    count = 400
    days = generator.integers(-110, 30, count)
    return pd.DataFrame(
        {
            "customerID": generator.choice(few.frame["customerID"], count),
            "event_timestamp": NOW + pd.to_timedelta(days, unit="D"),
            "label": generator.integers(0, 2, count),
        }
    )


def test_the_past_is_what_was_known_then(opened, moments, filled):
    store, _, _ = filled
    rows = [
        row
        for made in store.versions("telco")
        for row in store.read(made).to_pylist()
    ]  # fmt: skip

    found = opened.history(moments, NAMES)

    assert found["label"].tolist() == moments["label"].tolist()
    for place, question in enumerate(moments.itertuples()):
        known = [
            row
            for row in rows
            if row["customerID"] == question.customerID
            and timedelta(0) <= question.event_timestamp - row["event_timestamp"] <= OLDEST
        ]
        last = max(
            known, key=lambda row: (row["event_timestamp"], row["created_timestamp"]), default=None
        )
        for name in NAMES:
            value = found[name].iloc[place]
            assert pd.isna(value) if last is None else value == last[name], (question, name)


def test_what_is_known_now_is_the_last_row_bit_for_bit(opened, filled, few):
    store, _, made = filled
    ids = few.frame["customerID"][4:].tolist()
    expected = store.read(made, NAMES).to_pydict()

    found = opened.online([*ids, "nobody"], NAMES)

    assert found["customerID"].tolist() == [*ids, "nobody"]
    for name in NAMES:
        assert found[name].iloc[:-1].tolist() == expected[name], name
    assert found.iloc[-1][NAMES].isna().all()


def test_feast_shows_the_catalog(filled, few, tmp_path):
    store, online, made = filled
    import feast

    folder = import_feast().write_repository(
        store, made, folder=tmp_path, online=online, oldest=None
    )
    shown = feast.FeatureStore(repo_path=str(folder))

    views = {view.name: view for view in shown.list_feature_views()}
    assert set(views) == {
        "telco_fields", "telco_tenure", "telco_commitment", "telco_revenue", "telco_services"
    }  # fmt: skip
    revenue = views["telco_revenue"]
    assert revenue.tags["feature_set"] == made.feature_set
    gap = next(field for field in revenue.schema if field.name == "billed_gap")
    assert gap.description.startswith("Billed so far less")
    assert gap.tags["version"] == {e.name: e.version for e in made.features}["billed_gap"]
    assert revenue.batch_source.timestamp_field == "event_timestamp"
    whole = shown.get_feature_service("telco")
    assert sum(len(each.features) for each in whole.feature_view_projections) == 28
    (entity,) = [each for each in shown.list_entities() if each.name == "telco_customer"]
    assert entity.description == few.contract.id.meaning


def test_a_server_s_password_is_not_written_into_the_repository(filled, tmp_path, monkeypatch):
    store, _, made = filled
    monkeypatch.setenv("CHURN_ONLINE_STORE", "redis://:secret-word@localhost:1/0")

    folder = import_feast().write_repository(
        store, made, folder=tmp_path, online="redis://:secret-word@localhost:1/0", oldest=None
    )

    assert not [
        path for path in folder.rglob("*") if path.is_file() and b"secret-word" in path.read_bytes()
    ]


def test_a_place_without_versions_of_this_feature_set_is_refused(few, tmp_path):
    with pytest.raises(InputError, match="has no features of 'telco' by feature set"):
        open_feature_store(few.contract, tmp_path)


def test_feast_is_imported_only_for_who_asks(tmp_path):
    code = (
        "import sys, churn.feature_store.store, churn.feature_store.build, "
        "churn.feature_store.materialize, materializers.report_materializer, service.api.application\n"
        "print(sorted({'feast', 'dask'} & set(sys.modules)))"
    )
    environment = {"ZENML_CONFIG_PATH": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin"}

    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_without_feast_the_sentence_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "churn.feature_store.feast_repository", None)

    with pytest.raises(InputError, match="make setup-data"):
        import_feast()


def test_the_names_here_are_features(few):
    known = {*few.contract.names, *feature_set(few.contract).names}
    assert set(NAMES) <= known
