"""What takes a quarter of an hour is no test; that its parts are where it looks for them is."""

import ast
import runpy
import sys


def test_the_rehearsal_finds_all_that_it_starts(root, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    script = root / "tests" / "stacks" / "kubernetes" / "rehearsal.py"

    found = runpy.run_path(str(script), run_name="looked at")

    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in ("services", "databases")
    }
    assert {("databases", "postgres"), ("services", "bucket")} <= used
    assert [name for name in sorted(used) if not hasattr(found[name[0]], name[1])] == []
