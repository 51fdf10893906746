"""The database of ZenML or MLflow is checked before the library opens it: one sentence, a way out."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib import metadata

import pytest

from churn.errors import ChurnError, InputError
from stacks import check_database, library_database
from stacks.library_database import MLFLOW, ZENML, _revisions, require_database

NEWEST = {each.name: _revisions(each)[1] for each in (MLFLOW, ZENML)}
OLDER = {"MLflow": "c48cb773bb87", "ZenML": "0.80.0"}
LIBRARIES = pytest.mark.parametrize("library", [MLFLOW, ZENML], ids=lambda each: each.name)


def write_database(path, library, revision: str | None) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {library.first_table} (id INTEGER)")
        if revision is not None:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()


def refusal(library, path) -> str:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputError) as refused:
        require_database(library, path, "name another")
    assert (path.read_bytes() if path.is_file() else None) == before
    sentence = str(refused.value)
    assert str(path) in sentence
    assert sentence.endswith("name another.")
    assert "\n" not in sentence
    return sentence


def test_the_newest_revision_is_found_without_the_library():
    assert NEWEST["ZenML"] == metadata.version("zenml")
    assert NEWEST["MLflow"]
    assert OLDER["MLflow"] in _revisions(MLFLOW)[0]


@LIBRARIES
def test_what_is_up_to_date_new_or_not_there_is_taken(library, tmp_path):
    up_to_date, empty, half_made = (tmp_path / name for name in ("a.db", "b.db", "c.db"))
    write_database(up_to_date, library, NEWEST[library.name])
    empty.touch()
    write_database(half_made, library, None)  # another process is making it just now

    for path in (up_to_date, empty, half_made, tmp_path / "not" / "there.db"):
        require_database(library, path, "name another")

    assert not (tmp_path / "not").exists()


@LIBRARIES
def test_an_older_schema_is_not_changed_and_its_command_is_named(library, tmp_path):
    write_database(tmp_path / "a.db", library, OLDER[library.name])

    sentence = refusal(library, tmp_path / "a.db")

    assert f"older version ({OLDER[library.name]}) than {library.name} " in sentence
    assert f"back it up and run `{library.upgrade.format(url=f'sqlite:///{tmp_path}/a.db')}`" in (
        sentence
    )


@LIBRARIES
def test_a_newer_schema_is_refused_as_one(library, tmp_path):
    write_database(tmp_path / "a.db", library, "ffffffffffff")

    assert "has a schema (ffffffffffff) that " in refusal(library, tmp_path / "a.db")


@LIBRARIES
@pytest.mark.parametrize("revision", [None, "0.98.0", "ffff"])
def test_the_database_of_another_program_is_named_by_its_tables(library, revision, tmp_path):
    other = tmp_path / "a.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE songs (id INTEGER)")
        if revision:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()

    assert "is the database of another program (tables: songs)" in refusal(library, other)


def test_a_text_file_a_folder_and_a_damaged_database_are_refused(tmp_path):
    text, folder, damaged, cut = (tmp_path / name for name in ("a", "b", "c", "d"))
    text.write_text("no database\n" * 100)
    folder.mkdir()
    write_database(damaged, MLFLOW, NEWEST["MLflow"])
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:4096] + os.urandom(4096) + whole[8192:])
    cut.write_bytes(whole[: len(whole) // 2])

    assert "is no file" in refusal(MLFLOW, folder)
    for path in (text, damaged, cut):
        assert "is damaged, or no SQLite file (" in refusal(MLFLOW, path), path


def test_a_folder_that_takes_no_file_is_refused(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as refused:
        require_database(MLFLOW, tmp_path / "file" / "mlflow.db", "name another")

    assert str(refused.value).startswith(
        f"The folder {tmp_path}/file cannot be written to (Not a directory)"
    )


def test_a_locked_database_is_no_fault_of_the_input(monkeypatch, tmp_path):
    monkeypatch.setattr(library_database, "_WAIT_SECONDS", 0.01)
    write_database(tmp_path / "a.db", MLFLOW, NEWEST["MLflow"])
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")

        with pytest.raises(ChurnError, match=r"\(database is locked\); end the program") as failed:
            require_database(MLFLOW, tmp_path / "a.db", "name another")

    assert failed.value.exit_code == 1


def test_make_says_it_in_one_sentence_and_passes_the_exit_code(tmp_path, monkeypatch, capsys):
    write_database(tmp_path / "a.db", MLFLOW, "ffff")
    monkeypatch.setenv("ZENML_STORE_URL", "oracle://nowhere")

    assert check_database.main([str(tmp_path / "none.db")]) == 0
    assert check_database.main([str(tmp_path / "a.db")]) == 2
    assert check_database.main([]) == 2

    sentences = capsys.readouterr().err.splitlines()
    assert len(sentences) == 2
    assert sentences[0].endswith(
        "a newer version wrote it; move it away; make train starts a new one."
    )
    assert sentences[1].startswith("ZENML_STORE_URL is 'oracle://nowhere'")
