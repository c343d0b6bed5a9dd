"""The shop's change feed as a source of changes for firstline."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from connectors.api import Ask, Capability, Change, Health, Page
from connectors.errors import ConnectorError, Rejected
from connectors.http import HttpClient
from connectors.pages import changes_in, refuse_unless_offered
from connectors.redact import redact_text
from connectors.registry import parse_settings

_NAME = "shop"
_PATH = "/changes"
_CHECK_S = 3.0


class Settings(BaseModel):
    """`url`: the base address of the shop's control plane."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str


def build(settings: Mapping[str, object]) -> "ChangeFeed":
    """The entry point of `firstline.connectors`; raises `Rejected` for faulty settings."""
    url = parse_settings(Settings, settings, source=_NAME).url
    return ChangeFeed(HttpClient(url, source=_NAME))


class ChangeFeed:
    """Asks the control plane what was done to the shop."""

    name = _NAME
    capabilities = frozenset({Capability.CHANGES})

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        """Yield one page: the changes that began in the window, the newest `max_items` of them."""
        refuse_unless_offered(ask, self.capabilities, _NAME)
        params = {"from": ask.window.start.isoformat(), "to": ask.window.end.isoformat()}
        answer = await self._http.get_json(_PATH, params=params, deadline_s=ask.deadline_s)
        found = changes_in(_changes(answer, ask.window.end), ask)
        kept = found[max(0, len(found) - ask.max_items) :]
        gaps: tuple[str, ...] = ()
        if len(kept) < len(found):
            gaps = (f"Only the newest {len(kept)} of {len(found)} changes were looked at.",)
        link = self._http.url(_PATH, params)
        yield Page(
            capability=Capability.CHANGES,
            changes=tuple(kept),
            complete=len(kept) == len(found),
            gaps=gaps,
            query=f"GET {link}",
            link=link,
        )

    async def check(self) -> Health:
        now = datetime.now(UTC)
        params = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
        try:
            _changes(await self._http.get_json(_PATH, params=params, deadline_s=_CHECK_S), now)
        except ConnectorError as error:
            return Health(ok=False, message=str(error))
        return Health(ok=True, message="The shop's change feed answers.")

    async def aclose(self) -> None:
        await self._http.aclose()


def _changes(answer: object, end: datetime) -> tuple[Change, ...]:
    """The feed's answer in our words; what was not over by `end` is told as under way."""
    try:
        return tuple(_change(item, end) for item in answer["changes"])  # type: ignore[index]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Rejected(
            f"{_NAME}: the answer is not a change feed; check that url is the control plane's."
        ) from error


def _change(item: Mapping[str, str | None], end: datetime) -> Change:
    at, ref, summary = item["at"], item["ref"], item["summary"]
    if at is None or ref is None or summary is None:
        raise ValueError("a change needs at, ref and summary")
    over = item["until"]
    until = datetime.fromisoformat(over).astimezone(UTC) if over else None
    return Change(
        at=datetime.fromisoformat(at).astimezone(UTC),
        until=until if until and until < end else None,
        kind=item["kind"] or "infra",
        target=item["target"],
        ref=ref,
        actor=item["actor"],
        summary=redact_text(summary),
    )
