"""Starts ZenML's own dashboard on this machine, and says where it is and what to click; or stops it.

    python tools/dashboard.py            (make dashboard)
    python tools/dashboard.py --stop     (make dashboard ARGS="--stop")

The server runs in the background on the very database that runs write to, without a password, on
127.0.0.1 alone. No library does it: after `zenml login --local` runs go through the server and fail
once it is gone, after a restart of the machine for example; here they go on as before.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = 8237
_START_SECONDS = 90

_GUIDE = """\
  Runs      newest first, the search box finds names; click one for its graph
  Graph     click an artifact (green), then Visualization: every report's page and pictures
  Insights  beside the graph: Metadata has the results of the run
  Lists of models and artifacts are ZenML Pro's; here: .venv/bin/python tools/list_runs.py for
  every run with its figures and its model version, a line each.
  No user and no password; it listens on this machine alone.
  Stop it with:  make dashboard ARGS="--stop\""""


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts or stops the server and returns the exit code."""
    options = _parser().parse_args(arguments)
    # Before ZenML is imported: what it would say in the meantime is not for people.
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ["ZENML_LOGGING_VERBOSITY"] = "CRITICAL"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.path.insert(0, str(ROOT))
    from churn.home import home
    from stacks.zenml_store import choose_folder

    try:
        choose_folder(home())
        return _stop() if options.stop else _start(options.port, look=not options.no_browser)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        print(f"ZenML's dashboard could not be started or stopped: {reason}.", file=sys.stderr)
        return 1


def _start(port: int, *, look: bool) -> int:
    from zenml.config.global_config import GlobalConfiguration
    from zenml.enums import ServerProviderType, StoreType
    from zenml.utils.server_utils import connected_to_local_server, get_local_server
    from zenml.zen_server.deploy.deployer import LocalServerDeployer
    from zenml.zen_server.deploy.deployment import LocalServerDeploymentConfig

    store = GlobalConfiguration().store_configuration
    if store.type == StoreType.REST and not connected_to_local_server():
        print(f"ZenML is connected to the server {store.url}; its dashboard is there.")
        _look_at(store.url, look=look)
        return 0
    running = get_local_server()
    if running is None and _taken(port):
        print(
            f"Port {port} of 127.0.0.1 is taken; stop what listens there, or name another with "
            f'make dashboard ARGS="--port {port + 1}".',
            file=sys.stderr,
        )
        return 2
    print("Starting ZenML's dashboard ...", flush=True)
    server = LocalServerDeployer().deploy_server(
        LocalServerDeploymentConfig(provider=ServerProviderType.DAEMON, port=port),
        timeout=_START_SECONDS,
    )
    if server.status is None or not server.status.url:
        print(
            "ZenML's dashboard did not start; `zenml logs` shows why. Stop it with make dashboard "
            'ARGS="--stop" and start it again.',
            file=sys.stderr,
        )
        return 1
    _answer_survey()
    address = f"{server.status.url}/projects/default/runs"
    print(f"ZenML's dashboard: {address}\n{_GUIDE}")
    _look_at(address, look=look)
    return 0


def _stop() -> int:
    from zenml.utils.server_utils import get_local_server
    from zenml.zen_server.deploy.deployer import LocalServerDeployer

    if get_local_server() is None:
        print("ZenML's dashboard is not running.")
        return 0
    LocalServerDeployer().remove_server(timeout=_START_SECONDS)
    print("ZenML's dashboard is stopped; every run is kept.")
    return 0


def _answer_survey() -> None:
    """Skips ZenML's first-start survey for the local user, without e-mail."""
    from zenml.client import Client

    client = Client()
    user = client.active_user
    if user.email_opted_in is None:
        client.update_user(
            user.id,
            updated_email_opt_in=False,
            updated_metadata={**user.user_metadata, "finished_onboarding_survey": True},
        )


def _look_at(address: str, *, look: bool) -> None:
    """Opens the browser where there is one; a machine without a screen has none."""
    seen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if look and (seen or sys.platform == "darwin"):
        webbrowser.open(address)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    made.add_argument("--stop", action="store_true", help="stop it; every run is kept")
    made.add_argument("--port", type=int, default=PORT, help=f"port on 127.0.0.1 ({PORT})")
    made.add_argument("--no-browser", action="store_true", help="only say where it is")
    return made


if __name__ == "__main__":
    sys.exit(main())
