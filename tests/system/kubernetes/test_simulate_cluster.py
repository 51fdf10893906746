"""The simulated cluster takes a quarter of an hour and is no test; this tests its imports."""

import ast
import runpy
import sys


def test_the_simulated_cluster_finds_all_that_it_starts(root, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    script = root / "tests" / "system" / "kubernetes" / "simulate_cluster.py"

    found = runpy.run_path(str(script), run_name="imported")

    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in ("cloud_servers", "databases")
    }
    assert {("databases", "postgres"), ("cloud_servers", "bucket")} <= used
    assert [name for name in sorted(used) if not hasattr(found[name[0]], name[1])] == []
