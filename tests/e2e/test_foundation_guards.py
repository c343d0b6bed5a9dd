"""The guards of tests/conftest.py really guard."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_foreign_address_is_refused() -> None:
    with socket.socket() as s, pytest.raises(BaseException, match="only talk to loopback"):
        s.connect(("192.0.2.1", 80))


def test_a_foreign_name_is_not_even_looked_up() -> None:
    with pytest.raises(BaseException, match=r"example\.invalid"):
        socket.getaddrinfo("example.invalid", 443)


async def test_loopback_and_unix_sockets_are_free(tmp_path: Path) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    place = tmp_path / "socket"
    async with (
        await asyncio.start_server(greet, "127.0.0.1", 0) as tcp,
        await asyncio.start_unix_server(greet, place),
    ):
        near, first = await asyncio.open_connection(*tcp.sockets[0].getsockname())
        also_near, second = await asyncio.open_unix_connection(place)
        assert await near.read() == await also_near.read() == b"hello"
        first.close()
        second.close()


@pytest.mark.parametrize(
    ("reason", "code"), [("no reason at all", 1), ("optional: no server here", 0)]
)
def test_a_skip_without_leave_fails_a_strict_run(
    pytestconfig: pytest.Config, tmp_path: Path, reason: str, code: int
) -> None:
    guards = pytestconfig.rootpath / "tests/conftest.py"
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "tests/conftest.py").write_text(guards.read_text())
    (tmp_path / "tests/unit/test_skips.py").write_text(
        f"import pytest\n\n@pytest.mark.skip(reason={reason!r})\ndef test_nothing(): ...\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--strict-skips", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code
    assert ("skipped without leave" in run.stdout) is bool(code)
