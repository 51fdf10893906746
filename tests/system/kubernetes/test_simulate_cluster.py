"""The simulated cluster takes a quarter of an hour and is no test; this tests the imports of its scripts."""

import ast
import runpy
import sys

import pytest


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("simulate_cluster", {("databases", "postgres"), ("cloud_servers", "bucket")}),
        ("simulate_loop", set()),
    ],
)
def test_a_script_of_the_simulated_cluster_finds_all_that_it_starts(
    root, monkeypatch, name, starts
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    script = root / "tests" / "system" / "kubernetes" / f"{name}.py"

    found = runpy.run_path(str(script), run_name="imported")

    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in ("cloud_servers", "databases")
    }
    assert starts <= used
    assert [name for name in sorted(used) if not hasattr(found[name[0]], name[1])] == []
