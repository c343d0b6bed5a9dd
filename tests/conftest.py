"""Rules for every test: no network, no clock, the unit tests first, no skip that nobody decided on.

The guards live here, in one place, so that no test has to remember them.
"""

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

# A busy machine is no failure; what time things take is measured in bench/.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ORDER = ("unit", "contract", "architecture", "flow", "attack", "quality")  # then processes
ALLOWED_SKIPS = ("optional:", "../shared is absent")


class ForeignNetwork(BaseException):
    """A test reached for the network; it passes every `except Exception` on its way out."""


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _foreign_hosts(event: str, args: tuple[Any, ...]) -> Iterator[object]:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        if isinstance(address, tuple) and not _is_local(address[0]):  # AF_UNIX has a plain path
            yield address[0]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and not _is_local(args[0]):
        yield args[0]


def _refuse_foreign_network(event: str, args: tuple[Any, ...]) -> None:
    for host in _foreign_hosts(event, args):
        raise ForeignNetwork(
            f"tests may only talk to loopback, and this one tried {host!r}: start a real server "
            "on 127.0.0.1, or read a recording"
        )


sys.addaudithook(_refuse_foreign_network)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help=f"fail when a test is skipped for a reason that starts with none of {ALLOWED_SKIPS}",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--strict-skips"):
        config.pluginmanager.register(StrictSkips(), "strict-skips")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick folders first; in a folder first what takes long, so that nobody waits for it alone."""

    def rank(item: pytest.Item) -> tuple[int, bool]:
        folder = item.path.relative_to(config.rootpath / "tests").parts[0]
        place = ORDER.index(folder) if folder in ORDER else len(ORDER)
        return place, item.get_closest_marker("timeout") is None

    items.sort(key=rank)


class StrictSkips:
    """Turns a skip without an allowed reason into a failed run."""

    def __init__(self) -> None:
        self.undecided: list[str] = []

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
            if not reason.removeprefix("Skipped: ").startswith(ALLOWED_SKIPS):
                self.undecided.append(f"{report.nodeid}: {reason}")

    pytest_runtest_logreport = _note
    pytest_collectreport = _note

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.undecided and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.undecided:
            terminalreporter.write_line(f"skipped without leave: {line}", red=True)
