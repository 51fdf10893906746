"""Cache policy of steps: a cached result is not used after the code behind it has changed.

ZenML's own key covers a step's function, parameters and inputs. A step here only calls `churn/`, so
its key also covers every source file of the domain, the steps and the materializers, and the locked
library versions.
"""

import hashlib
from functools import cache

from zenml.config.cache_policy import CachePolicy

from churn.root import ROOT

_PACKAGES = ("churn", "deployment", "registry", "steps", "materializers")
_LOCKS = (
    "requirements.lock",
    "requirements-data.lock",
    "requirements-deep.lock",
    "requirements-stacks.lock",
)


@cache
def code_digest() -> str:
    """Returns the SHA-256 of the code that a step's result depends on; computed once a process."""
    digest = hashlib.sha256()
    files = [path for package in _PACKAGES for path in (ROOT / package).rglob("*.py")]
    files += (ROOT / "churn").rglob("templates/*")
    files += [ROOT / lock for lock in _LOCKS if (ROOT / lock).is_file()]
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
    return digest.hexdigest()


CODE_AWARE = CachePolicy(cache_func=code_digest)
