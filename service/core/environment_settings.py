"""Settings from the environment, and those that the API and the stream worker share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator

from churn.errors import InputError, did_you_mean
from churn.feature_store.online.address import FILE as ONLINE_STORE
from churn.feature_store.online.address import SQLITE
from churn.frozen_model import FrozenModel
from churn.home import DEFAULT, home
from churn.kept_inputs.pseudonym import require_key
from churn.scoring.current import CURRENT, local_stores, several_stores
from churn.scoring.manifest import VERSION_PATTERN

PREFIX = "CHURN_"
NONE = "none"
"""Value that switches a database off."""

Version = Annotated[str, Field(pattern=VERSION_PATTERN)]


class LedgerSettings(FrozenModel):
    """How long and how much the ledger keeps.

    Attributes:
        ledger_retention_months: months of predictions and outcomes that are kept, the current one
            included; 0 keeps all.
        ledger_max_bytes: most bytes of a ledger in SQLite; 0 sets no limit.
    """

    ledger_retention_months: int = Field(13, ge=0, le=1200)
    ledger_max_bytes: int = Field(0, ge=0)


def home_path(name: str, prefix: str = "") -> Callable[[dict[str, Any]], str]:
    """Returns what makes a setting's default: a path of that name in the folder of `home`."""
    return lambda settings: f"{prefix}{home(settings['home']) / name}"


class InputSettings(FrozenModel):
    """Whether scored customers are kept for monitoring.

    Attributes:
        keep_inputs: whether they are, under pseudonyms.
        inputs: folder of this machine that they are kept in.
        inputs_key: secret from which the pseudonyms are made, 16 to 64 letters.
        keep_inputs_days: JSON lines that are older are deleted.
        keep_inputs_max_bytes: most bytes a day of one process; 0 sets no limit.
    """

    keep_inputs: bool = False
    inputs: str = Field(default_factory=home_path("inputs"), min_length=1)
    inputs_key: SecretStr | None = None
    keep_inputs_days: int = Field(90, ge=1, le=3660)
    keep_inputs_max_bytes: int = Field(2**30, ge=0)

    @property
    def pseudonym_key(self) -> bytes:
        """The key of the pseudonyms."""
        return require_key(self.inputs_key.get_secret_value() if self.inputs_key else "")

    @model_validator(mode="after")
    def _can_keep_inputs(self) -> Self:
        if self.keep_inputs:
            try:
                _ = self.pseudonym_key
            except InputError as error:
                raise ValueError(str(error)) from None
            if "://" in self.inputs:
                raise ValueError(
                    "inputs are kept in a folder of this machine; compact writes buckets"
                )
        return self


class OnlineStoreSettings(FrozenModel):
    """Where the fields of customers are looked up.

    Attributes:
        online_store: `sqlite:///` and a path, an address of Redis, or `none`.
        max_feature_age_seconds: age of a customer's oldest field beyond which there is no score; 0
            sets no limit.
    """

    # An address may hold a password.
    online_store: SecretStr = Field(
        default_factory=lambda settings: SecretStr(home_path(ONLINE_STORE, SQLITE)(settings))
    )
    max_feature_age_seconds: float = Field(0.0, ge=0)


def _only_store(settings: dict[str, Any]) -> str:
    """The store of the one model in production; the folder of all where there is none, or several."""
    production = home(settings["home"]) / "production"
    stores = local_stores(production)
    return str(stores[0] if len(stores) == 1 else production)


class StoreSettings(FrozenModel):
    """Which versions of a bundle store are served.

    Attributes:
        home: folder of everything on this machine, where the settings below name no other place.
        store: bundle store whose production version is served: a folder, or a URI for fsspec. Left
            out, it is that of the only model with a version in production.
        poll_seconds: how often the store is checked for a new version.
        canary_version: version of the store that answers `canary_percent` of the customers.
        canary_percent: share of the customers that the canary answers.
        shadow_version: version of the store that scores every customer for the ledger alone.
        scratch_folder: folder for the workers' metrics and for copies of remote bundles.
    """

    home: str = Field(DEFAULT, min_length=1)
    store: str = Field(default_factory=_only_store, min_length=1)
    poll_seconds: float = Field(1.0, ge=0.05, le=3600)
    canary_version: Version | None = None
    canary_percent: float = Field(0.0, ge=0, le=100)
    shadow_version: Version | None = None
    scratch_folder: str = Field(default_factory=home_path("scratch"), min_length=1)

    @model_validator(mode="after")
    def _require_canary_version(self) -> Self:
        if self.canary_percent and self.canary_version is None:
            raise ValueError("a canary_percent needs a canary_version")
        return self

    def require_production(self, options: str) -> None:
        """Checks that a local store has a version in production, and that it is known which store.

        Raises:
            InputError: it has none, or several have; `options` say how to name a store.
        """
        if "store" not in self.model_fields_set:
            stores = local_stores(home(self.home) / "production")
            if len(stores) > 1:
                raise InputError(several_stores(stores, options))
        if "://" in self.store or (Path(self.store) / CURRENT).is_file():
            return
        near = [each.parent for each in sorted(Path(self.store).glob(f"*/{CURRENT}"))]
        if (Path(self.store).parent / CURRENT).is_file():
            near = [Path(self.store).parent]  # where release 0.1.0 kept its only store
        found = f"; there is a store in {', '.join(map(str, near))}" if near else ""
        raise InputError(
            f"Nothing is in production in {self.store}{found}. Run `python run.py --pipeline "
            f"promotion` first, or name another store with {options}."
        )


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def read_environment(
    kind: type[SettingsT],
    environment: Mapping[str, str],
    *,
    program: str,
    page: str,
    **options: Any,
) -> SettingsT:
    """Returns the settings that the environment sets: CHURN_ and the name of a field, in capitals.

    `program` and `page`, the documentation page, are named in error messages; `options` are fields
    set on the command line, which override the environment unless None.

    Raises:
        InputError: a `CHURN_` variable is unknown, or a value is not allowed.
    """
    values: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name[len(PREFIX) :].lower()
        if field not in kind.model_fields or name != PREFIX + field.upper():
            raise InputError(_unknown_variable(name, kind, program))
        values[field] = value
    values |= {field: value for field, value in options.items() if value is not None}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        name = f"{PREFIX}{field.upper()}" if field else "The settings"
        reason = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"{name} cannot be used: {reason}. {page} lists every setting and what it allows."
        ) from None


def split_commas(value: Any) -> Any:
    """A comma-separated text as a tuple of its parts; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _unknown_variable(name: str, kind: type[BaseModel], program: str) -> str:
    known = [PREFIX + field.upper() for field in kind.model_fields]
    near = did_you_mean(name.upper(), known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}."
    return f"The environment sets {name}, which is no setting of {program}; {hint}"
