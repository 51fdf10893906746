"""`make image` takes the engine that answers, else buildah, and hands the bases through."""

import os
import subprocess

import pytest


@pytest.fixture
def make_image(root, tmp_path):
    """Runs `make image` where the programs that are named are all that there is to build with."""

    def run(*words, docker=None, buildah=False):
        programs = tmp_path / "bin"
        programs.mkdir()
        for name in ("bash", "git", "make", "test", "echo"):
            (programs / name).symlink_to(_found(name))
        if docker is not None:
            _write(programs / "docker", f'[ "$1" != version ] || exit {docker}; echo docker "$@"')
        if buildah:
            _write(programs / "buildah", 'echo buildah "$@"')
        return subprocess.run(
            ["make", "--no-print-directory", "image", *words],
            cwd=root,
            env={"PATH": str(programs), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _found(name: str) -> str:
    return next(
        path
        for folder in os.environ["PATH"].split(":")
        if os.access(path := f"{folder}/{name}", os.X_OK)
    )


def _write(path, line):
    path.write_text(f"#!{_found('bash')}\n{line}\n")
    path.chmod(0o755)


def test_an_engine_that_answers_builds_the_pipelines_target(make_image):
    answer = make_image("IMAGE=registry.example/p:1", docker=0, buildah=True)

    assert answer.returncode == 0, answer.stderr
    command = answer.stdout.split()
    assert command[:6] == [
        "docker",
        "build",
        "--target",
        "pipeline",
        "--tag",
        "registry.example/p:1",
    ]
    assert [word.partition("=")[0] for word in command[6:-1]] == ["--build-arg", "REVISION"]


def test_a_client_whose_engine_is_not_there_leaves_it_to_buildah(make_image):
    answer = make_image(docker=1, buildah=True)

    assert answer.stdout.startswith("buildah build --target pipeline ")


def test_another_base_is_handed_through(make_image):
    answer = make_image("PYTHON_IMAGE=mirror.example/python:3.11", buildah=True)

    assert "--build-arg PYTHON_IMAGE=mirror.example/python:3.11 " in answer.stdout
    assert "BUILD_IMAGE" not in answer.stdout


def test_a_missing_builder_is_reported(make_image):
    answer = make_image(docker=1)

    assert answer.returncode != 0
    assert "Neither a Docker engine that answers nor buildah is here" in answer.stderr
