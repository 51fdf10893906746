"""The domain as one archive: all of it, the same bytes each time, and Python imports from it."""

from __future__ import annotations

import os
import subprocess
import sys
from zipfile import ZipFile

import pytest

from registry.packed_code import ARCHIVE, pack_code


@pytest.fixture
def package(tmp_path):
    """A package with a data file, a module below, and what Python has compiled of it."""
    folder = tmp_path / "here" / "shop"
    for name, content in {
        "__init__.py": "",
        "till/__init__.py": "TAKEN = 7\n",
        "till/page.j2": "{{ taken }}",
        "till/__pycache__/__init__.cpython-311.pyc": "?",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def test_everything_is_packed_but_what_python_compiled(package, tmp_path):
    with ZipFile(pack_code(package, tmp_path)) as packed:
        assert packed.namelist() == [
            "shop/__init__.py",
            "shop/till/__init__.py",
            "shop/till/page.j2",
        ]


def test_the_same_files_give_the_same_bytes_whenever_they_are_packed(package, tmp_path):
    before = pack_code(package, tmp_path).read_bytes()
    for file in package.rglob("*.py"):
        os.utime(file, (0, 1_000_000_000))
        file.chmod(0o600)

    assert pack_code(package, tmp_path).read_bytes() == before


def test_python_imports_the_domain_from_it(root, tmp_path):
    archive = pack_code(root / "churn", tmp_path)
    code = f"import sys; sys.path.insert(0, {str(archive)!r})\nimport churn.errors as e; print(e.__file__)"

    output = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert output.strip() == f"{archive}/churn/errors.py"
    assert archive.name == ARCHIVE


def test_the_model_looks_for_it_by_its_name(root):
    model = (root / "registry" / "mlflow_model.py").read_text(encoding="utf-8")

    assert f'"{ARCHIVE}"' in model
