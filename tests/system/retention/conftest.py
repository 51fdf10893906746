"""A trained model of its own for what retention does with it."""

from tests.pipelines.conftest import command_line, trained

__all__ = ["command_line", "trained"]
