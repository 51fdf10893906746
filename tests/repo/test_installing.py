"""`tools/install.py` fills .venv once, notices a changed lock, and distrusts a killed installation."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = "alpha==1.0  # via nothing\n"
DEV = "alpha==1.0\nbeta==2.0\n"


@pytest.fixture
def installer(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The installer, pointed at a project of its own; installing a lock writes its pins to a file."""
    monkeypatch.setenv("VENV", str(tmp_path / ".venv"))
    monkeypatch.syspath_prepend(str(root / "tools"))
    spec = importlib.util.spec_from_file_location("install", root / "tools" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)

    def create() -> None:
        module.VENV.mkdir(parents=True)
        module.UNFINISHED.touch()
        command = [sys.executable, "-m", "venv", "--without-pip", module.VENV]
        subprocess.run(command, check=True)

    module.installed = []

    def install(lock: Path) -> bool:
        module.installed.append(lock.name)
        site = next(module.VENV.glob("lib/python*/site-packages"))
        (site / lock.name).write_text(lock.read_text())
        return True

    monkeypatch.setattr(module, "create", create)
    monkeypatch.setattr(module, "install_with_uv", install)
    monkeypatch.setattr(module, "install_with_pip", lambda lock: False)
    (tmp_path / "requirements.lock").write_text(MAIN)
    (tmp_path / "requirements-dev.lock").write_text(DEV)
    return module


@pytest.fixture
def main_lock(tmp_path: Path) -> Path:
    return tmp_path / "requirements.lock"


@pytest.fixture
def dev_lock(tmp_path: Path) -> Path:
    return tmp_path / "requirements-dev.lock"


def test_a_second_call_reinstalls_nothing(installer, main_lock, capsys):
    assert installer.main(main_lock) == 0
    capsys.readouterr()
    assert installer.main(main_lock) == 0

    assert installer.installed == ["requirements.lock"]
    assert capsys.readouterr().err == ""


def test_the_tests_lock_serves_the_main_job_but_not_the_other_way_round(
    installer, main_lock, dev_lock
):
    installer.main(main_lock)
    installer.main(dev_lock)
    installer.main(main_lock)

    assert installer.installed == ["requirements.lock", "requirements-dev.lock"]


def test_a_changed_lock_is_installed_and_outdates_the_others(installer, main_lock, dev_lock):
    installer.main(dev_lock)
    main_lock.write_text("alpha==1.1\n")
    installer.main(main_lock)
    installer.main(dev_lock)

    assert installer.installed == [
        "requirements-dev.lock",
        "requirements.lock",
        "requirements-dev.lock",
    ]


def test_a_killed_installation_is_started_afresh(installer, main_lock, monkeypatch, capsys):
    def killed(lock: Path) -> bool:
        (installer.VENV / "half-written").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(installer, "install_with_uv", killed)
        with pytest.raises(KeyboardInterrupt):
            installer.main(main_lock)

    assert installer.main(main_lock) == 0
    assert installer.installed == ["requirements.lock"]
    assert not (installer.VENV / "half-written").exists()
    assert "interrupted" in capsys.readouterr().err


def test_being_offline_costs_nothing_that_was_there(
    installer, main_lock, dev_lock, monkeypatch, capsys
):
    installer.main(main_lock)
    with monkeypatch.context() as patch:
        patch.setattr(installer, "install_with_uv", lambda lock: False)
        assert installer.main(dev_lock) == 1

    assert "Check that the package index can be reached" in capsys.readouterr().err
    assert installer.main(main_lock) == 0
    assert installer.installed == ["requirements.lock"]


def test_a_failure_half_way_is_not_trusted(installer, main_lock, dev_lock, monkeypatch):
    installer.main(main_lock)

    def half(lock: Path) -> bool:
        (next(installer.VENV.glob("lib/python*/site-packages")) / "beta").touch()
        return False

    with monkeypatch.context() as patch:
        patch.setattr(installer, "install_with_uv", half)
        assert installer.main(dev_lock) == 1
    installer.main(main_lock)

    assert installer.installed == ["requirements.lock", "requirements.lock"]


def test_plain_pip_takes_over_where_uv_fails(installer, main_lock, monkeypatch):
    installed = []
    monkeypatch.setattr(installer, "install_with_uv", lambda lock: False)
    monkeypatch.setattr(installer, "install_with_pip", lambda lock: not installed.append(lock.name))

    assert installer.main(main_lock) == 0
    assert installed == ["requirements.lock"]


def test_an_environment_of_another_python_is_made_anew(installer, main_lock):
    installer.main(main_lock)
    installer.PYTHON.unlink()
    installer.PYTHON.write_text("#!/bin/sh\nexit 1\n")
    installer.PYTHON.chmod(0o755)
    main_lock.write_text("alpha==1.2\n")

    assert installer.main(main_lock) == 0
    assert installer.usable()


def test_a_damaged_stamp_is_no_stamp(installer, main_lock):
    installer.main(main_lock)
    installer.COMPLETE.write_text(json.dumps(["0" * 64])[:-3])
    installer.main(main_lock)

    assert installer.installed == ["requirements.lock"] * 2


def find_python(root: Path, path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", root / "tools" / "python311"],
        env={"PATH": str(path), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, name: str, *, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    right = 0 if version.startswith("3.11") else 1
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit 0\nexit {right}\n'
    )
    program.chmod(0o755)
    return program


def test_python_3_11_is_found_under_either_name(root, tmp_path):
    fake_python(tmp_path / "bin", "python3", version="3.11.9")

    assert find_python(root, tmp_path / "bin").stdout.strip().endswith("/python3")


def test_a_shim_without_its_python_is_passed_over(root, tmp_path):
    shim = tmp_path / "bin" / "python3.11"
    fake_python(tmp_path / "bin", "python3", version="3.11.2")
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(0o755)

    assert find_python(root, tmp_path / "bin").stdout.strip().endswith("/python3")


def test_another_version_is_named_in_one_sentence_with_the_way_out(root, tmp_path):
    fake_python(tmp_path / "bin", "python3", version="3.12.4")

    answer = find_python(root, tmp_path / "bin")

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "needs Python 3.11 and found Python 3.12.4 as python3" in answer.stderr
    assert "PYTHON=" in answer.stderr


def test_a_python_can_be_named(root, tmp_path):
    named = fake_python(tmp_path / "elsewhere", "mine", version="3.11.1")
    fake_python(tmp_path / "bin", "python3", version="3.11.9")

    assert find_python(root, tmp_path / "bin", PYTHON=str(named)).stdout.strip() == str(named)


def test_the_installer_is_plain_standard_library(root):
    # -I -S: neither site-packages nor this folder; only what every Python brings.
    code = "import sys; sys.path.insert(0, sys.argv[1]); import install, lock"
    command = [sys.executable, "-I", "-S", "-c", code, str(root / "tools")]

    answer = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)

    assert answer.returncode == 0, answer.stderr
