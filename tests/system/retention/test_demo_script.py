"""The demo script: its commands, as they stand on the page, leave lists, slides and pages."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

MINUTES = 12
FILES = {
    "call-list.csv", "not-called.csv", "assignments.csv", "experiment.json", "deck.pptx",
    "one-pager.pdf", "readout.html", "figures.json",
}  # fmt: skip


def run_script(command, folder, environment):
    """Runs a command of the page; at the time limit, everything that it has started ends with it."""
    with subprocess.Popen(
        ["bash", "-ec", command], cwd=folder, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as started:  # fmt: skip
        try:
            said, _ = started.communicate(timeout=60 * MINUTES)
        finally:
            if started.returncode is None:
                os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode == 0, said


@pytest.fixture(scope="module")
def written(root, isolated_environment, tmp_path_factory):
    """The folder that the page's commands have filled."""
    home = tmp_path_factory.mktemp("home")
    page = (root / "docs" / "demo-script.md").read_text(encoding="utf-8")
    environment = isolated_environment | {
        "CHURN_HOME": str(home),
        "ZENML_CONFIG_PATH": str(home / "zenml"),  # as at a newcomer's: no versions of other tests
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for command in re.findall(r"```bash\n(.*?)\n```", page, re.DOTALL):
        run_script(command, root, environment)
    return home / "retention" / datetime.now(UTC).date().isoformat()


def test_the_commands_leave_every_file(written):
    assert {path.name for path in written.iterdir()} >= FILES


def test_an_office_program_renders_every_slide(written, tmp_path):
    if shutil.which("soffice") is None:
        pytest.skip("libreoffice-impress is not installed")
    from pptx import Presentation

    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", tmp_path, written / "deck.pptx"],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip

    pages = re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "deck.pdf").read_bytes())
    assert len(pages) == len(Presentation(str(written / "deck.pptx")).slides)
