"""Each version reaches the online store once; two processes never write together."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from datetime import timedelta

import pytest

from churn.data import Dataset
from churn.errors import ChurnError, InputError
from churn.feature_store.build import build_features
from churn.feature_store.materialize import materialize
from churn.feature_store.online.address import open_online_store


@pytest.fixture
def online(few, tmp_path):
    with open_online_store(few.contract, f"sqlite:///{tmp_path / 'online.db'}") as opened:
        yield opened


@pytest.fixture
def locks(tmp_path):
    return tmp_path / "locks"


@pytest.fixture
def made(few, store, context):
    return build_features(few, store, context).provenance


def test_every_field_of_every_customer_arrives_with_its_time(few, made, store, online, locks):
    written = materialize(made, store, online, locks=locks)

    assert (written.customers, written.fields_set, written.fields_kept) == (40, 760, 0)
    row = few.frame.iloc[7]
    held = online.read(row["customerID"])
    expected = {each.name: row[each.name] for each in few.contract.features}
    assert held.row == expected
    assert held.age_seconds(made.observed + timedelta(seconds=9)) == 9


def test_the_same_version_again_writes_nothing(made, store, online, locks):
    materialize(made, store, online, locks=locks)

    assert materialize(made, store, online, locks=locks).customers == 0


def test_an_online_store_that_was_lost_is_filled_again(made, store, online, locks):
    materialize(made, store, online, locks=locks)
    online.clear()

    assert materialize(made, store, online, locks=locks).fields_set == 760


def test_an_older_version_changes_nothing_that_is_newer(few, made, store, online, locks, context):
    newer = Dataset(
        few.frame.assign(MonthlyCharges=20.0), few.contract, replace(few.source, sha256="b" * 64)
    )
    later = replace(context, created=context.created + timedelta(days=1))
    materialize(build_features(newer, store, later).provenance, store, online, locks=locks)

    written = materialize(made, store, online, locks=locks)

    assert (written.customers, written.fields_set, written.fields_kept) == (40, 0, 760)
    assert online.read(few.frame["customerID"][0]).row["MonthlyCharges"] == 20.0


def test_a_second_process_is_refused_while_the_first_writes(made, store, online, locks):
    locks.mkdir()
    with (locks / "telco.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ChurnError, match="Another process is writing") as error:
            materialize(made, store, online, locks=locks)
    assert error.value.exit_code == 1

    assert materialize(made, store, online, locks=locks).customers == 40


def test_a_folder_of_locks_that_cannot_be_made_is_named(made, store, online, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(InputError, match="cannot be written to"):
        materialize(made, store, online, locks=tmp_path / "file")
