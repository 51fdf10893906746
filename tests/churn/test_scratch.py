"""Scratch folders are private, go away at the end, and one that cannot be made is named in a sentence."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from churn import scratch
from churn.errors import InputError
from churn.scratch import scratch_folder
from tests.servers.logged_process import ROOT


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_private_and_removed_with_all_that_is_in_it(tmp_path):
    root = tmp_path / "state" / "scratch"

    with scratch_folder("service", root) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("x")
        assert folder.parent == root
        assert folder.name.startswith("service-")
        assert mode(folder) == mode(root) == 0o700

    assert [path.name for path in root.iterdir()] == [".lock"]


def test_it_goes_when_its_block_fails_too(tmp_path):
    with pytest.raises(KeyError), scratch_folder("a", tmp_path) as folder:
        raise KeyError

    assert not folder.exists()


def test_it_lies_where_the_environment_says_or_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(scratch.VARIABLE, str(tmp_path / "named"))
    with scratch_folder("a") as named:
        pass
    monkeypatch.delenv(scratch.VARIABLE)
    with scratch_folder("a") as default:
        pass

    assert named.parent == tmp_path / "named"
    assert default.parent == tmp_path / "home" / "scratch"


@pytest.mark.parametrize("root", ["file", "file/below", "dangling"])
def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path, root):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    with (
        pytest.raises(InputError, match=r"The scratch folder .* cannot be written to: ") as error,
        scratch_folder("a", tmp_path / root),
    ):
        pytest.fail("there is no folder")

    assert scratch.VARIABLE in str(error.value)
    assert str(tmp_path / root) in str(error.value)


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is(tmp_path):
    code = (
        "import sys, time\nfrom churn.scratch import scratch_folder\n"
        "with scratch_folder('killed', sys.argv[1]) as folder:\n"
        "    print(folder, flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    left = Path(process.stdout.readline().strip())
    (tmp_path / "mine").mkdir()
    with scratch_folder("beside", tmp_path) as beside, scratch_folder("second", tmp_path):
        assert left.exists()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
        assert left.exists()

        with scratch_folder("third", tmp_path):
            assert not left.exists()
            assert beside.exists()
    assert (tmp_path / "mine").exists()
