"""Real databases of stacks and ledgers: PostgreSQL and MariaDB, each on an empty folder."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.process import Server, empty_folder, finish, free_port, program, unprivileged


@dataclass
class Postgres:
    """A PostgreSQL server with one superuser, who needs a password."""

    folder: Path
    port: int
    password: str
    user: str | None
    server: Server = field(init=False)

    def start(self) -> None:
        """Starts it on its folder; it may have run there before."""
        options = ("fsync=off", "listen_addresses=127.0.0.1", f"port={self.port}")
        where = ("-D", str(self.folder / "data"), "-k", str(self.folder))
        self.server = Server(
            "PostgreSQL",
            [program("postgres"), *where, *(f"--{option}" for option in options)],
            self.folder / "log",
            user=self.user,
        )
        self.server.wait(self._answers)

    def stop(self) -> None:
        """Stops it in spite of open connections; its data stays."""
        self.server.stop(signal.SIGINT)

    def url(self, database: str = "postgres") -> str:
        """A database's address."""
        return f"postgresql://churn:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new database's address."""
        import psycopg2

        connection = psycopg2.connect(self.url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        connection.close()
        return self.url(database)

    def _answers(self) -> bool:
        import psycopg2

        try:
            psycopg2.connect(self.url(), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """PostgreSQL on an empty folder."""
    user = unprivileged("postgres")
    with empty_folder(user) as folder:
        made = Postgres(folder, free_port(), secrets.token_hex(8), user)
        secret = folder / "password"
        secret.write_text(made.password)
        secret.chmod(0o644)
        finish(
            [
                program("initdb"), "-D", str(folder / "data"), "-U", "churn", "-E", "UTF8",
                "--no-locale", "--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}",
            ],
            user,
        )  # fmt: skip
        made.start()
        try:
            yield made
        finally:
            made.stop()


@dataclass(frozen=True)
class MariaDb:
    """A MariaDB server, and the address of a database for ZenML."""

    url: str
    server: Server


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """MariaDB on an empty folder, with one user of its own for ZenML."""
    import pymysql

    user = unprivileged("mysql")
    with empty_folder(user) as folder:
        data, socket, port = folder / "data", folder / "socket", free_port()
        password = secrets.token_hex(8)
        setup = folder / "setup.sql"
        setup.write_text(
            f"CREATE USER 'zenml'@'%' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO 'zenml'@'%';\n"
        )
        setup.chmod(0o644)
        finish(
            [
                program("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
                "--skip-test-db", "--auth-root-authentication-method=normal", "--force",
            ],
            user,
        )  # fmt: skip
        options = (
            f"--datadir={data}", f"--socket={socket}", f"--port={port}",
            "--bind-address=127.0.0.1", f"--init-file={setup}", "--skip-name-resolve",
            "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
        )  # fmt: skip
        server = Server(
            "MariaDB", [program("mariadbd"), "--no-defaults", *options], folder / "log", user=user
        )

        def answers() -> bool:
            try:
                pymysql.connect(
                    host="127.0.0.1", port=port, user="zenml", password=password
                ).close()
            except pymysql.MySQLError:
                return False
            return True

        try:
            server.wait(answers)
            yield MariaDb(f"mysql://zenml:{password}@127.0.0.1:{port}/zenml", server)
        finally:
            server.stop()
