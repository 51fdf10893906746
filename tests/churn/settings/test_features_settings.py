"""A day of the features pipeline is written in one way, and anything else has its sentence."""

from __future__ import annotations

import pytest

from churn.errors import InputError
from churn.settings.features import FeaturesSettings
from churn.settings.settings_file import load_settings


@pytest.fixture
def load(root):
    return lambda *overrides: load_settings(
        FeaturesSettings, root / "configs" / "features.yaml", overrides
    )


@pytest.mark.parametrize("written", ["2026-11-20", "'2026-11-20'"])
def test_a_day_needs_no_quotes(load, written):
    settings = load(f"as_of={written}")

    assert settings.as_of == "2026-11-20"
    assert not settings.reads_table


@pytest.mark.parametrize("written", ["2026-13-01", "20261120", "yesterday", "2026-11-20T10:00:00"])
def test_what_is_no_day_is_refused(load, written):
    for name in ("as_of", "observed"):
        with pytest.raises(InputError, match=rf"'{name}' in --set must be"):
            load(f"{name}={written}")


def test_a_new_version_reads_its_table(load):
    assert load().reads_table
