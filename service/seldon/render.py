r"""Renders the manifests of a rollout; the same settings give the same bytes.

For example:

    python -m service.seldon.render --image registry.example/churn-seldon:1.4.0 \
        --bundle-uri s3://models/churn --version 7 --canary 8=10 --shadow 9 | kubectl apply -f -
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import yaml

from churn.errors import InputError
from service.seldon.core1 import seldon_deployment
from service.seldon.core2 import seldon_models
from service.seldon.pods import Tree
from service.seldon.rollout import Rollout, parse_canary, read_rollout


class _PlainDumper(yaml.SafeDumper):
    """Writes no anchors, so that people can read it."""

    def ignore_aliases(self, data: object) -> bool:
        """Returns True for everything."""
        del data
        return True


def render(settings: Rollout, *, v2: bool = False) -> str:
    """Returns the manifests for Seldon Core 1, or 2 with `v2`, as one YAML stream.

    Raises:
        InputError: Core 2 cannot do what the settings ask for.
    """
    documents: list[Tree] = seldon_models(settings) if v2 else [seldon_deployment(settings)]
    return yaml.dump_all(
        documents,
        Dumper=_PlainDumper,
        sort_keys=False,
        explicit_start=True,
        allow_unicode=True,
        width=100,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the manifests and returns the exit code; 2 if a setting is not allowed."""
    options = vars(_parser().parse_args(arguments))
    v2 = options.pop("v2")
    try:
        if options["canary"] is not None:
            options["canary"] = parse_canary(options["canary"])
        text = render(read_rollout(**options), v2=v2)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service.seldon.render",
        description="Print the Seldon manifests of a rollout.",
        allow_abbrev=False,
    )
    parser.add_argument("--image", required=True, help="with a tag other than latest, or a digest")
    parser.add_argument("--bundle-uri", required=True, help="of the store; see --v2")
    parser.add_argument("--version", help="that serves; the store's production where left out")
    parser.add_argument("--canary", metavar="VERSION=PERCENT", help="a second version's part")
    parser.add_argument("--shadow", metavar="VERSION", help="gets a copy of every request")
    parser.add_argument(
        "--v2",
        action="store_true",
        help="for Seldon Core 2; --bundle-uri is then where service.seldon.package's folders lie",
    )
    parser.add_argument("--name", default="churn")
    parser.add_argument("--namespace")
    parser.add_argument("--secret", help="with the credentials of the store")
    parser.add_argument(
        "--min-replicas", type=int, default=2, dest="minimum", metavar="MIN_REPLICAS"
    )
    parser.add_argument(
        "--max-replicas", type=int, default=6, dest="maximum", metavar="MAX_REPLICAS"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
