"""Features: acquire, check, accept, build, materialize, register; or an old version again."""

from typing import Any

from zenml import pipeline

from steps.data.accept_data import accept_data
from steps.data.acquire_data import acquire_data
from steps.data.check_quality import check_quality
from steps.features.build_features import build_features
from steps.features.materialize_features import materialize_features
from steps.features.rebuild_features import rebuild_features
from steps.features.register_features import register_features


@pipeline(name="features")
def features(
    settings: dict[str, Any], data: dict[str, Any] | None, folders: dict[str, str]
) -> None:
    """Wires the steps; `settings` are `FeaturesSettings`, `data` the runner's `TableInput`.

    There is no `data` where an old version is built again: it has its own table.
    """
    if data is None:
        rebuild_features(settings, folders)
        return
    customers = acquire_data(**data, cache_folder=folders["downloads"])
    quality = check_quality(customers, settings["data"]["on_shift"])
    snapshot = accept_data(customers, quality, folders["snapshots"])
    built = build_features(customers, snapshot, settings, folders)
    store = settings["store"]
    online = store["online"] or folders["online"]
    done = materialize_features(built, online if store["materialize"] else "", folders)
    if store["feast"]:
        register_features(done, online, settings, folders)
