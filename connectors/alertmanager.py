"""Alertmanager's webhook as alerts. Grafana's contact point sends the same fields.

Alertmanager calls its payload version 4 and Grafana calls its own 1: the fields decide.
"""

import hmac
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from connectors.api import Alert, Change, Receiver, in_utc
from connectors.errors import Forbidden, Rejected
from connectors.redact import redact_text
from connectors.registry import parse_settings

_SERVICE_LABELS = ("service", "service_name", "job", "app")
_MAX_BYTES = 4 * 1024 * 1024


class Settings(BaseModel):
    """`token`: what the sender has to give as `Authorization: Bearer …`; null asks for nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr | None = None


class AlertmanagerWebhook(Receiver):
    """Reads the payload that Alertmanager posts for a group of alerts."""

    name = "alertmanager"

    def __init__(self, settings: Settings | None = None) -> None:
        self._token = (settings or Settings()).token

    def receive(self, headers: Mapping[str, str], body: bytes) -> list[Alert | Change]:
        """Return one alert for each in the payload, in its order.

        Raises `Forbidden` for a missing or wrong token and `Rejected` for any other payload.
        """
        self._authorise(headers)
        if len(body) > _MAX_BYTES:
            raise Rejected(f"The alert payload is larger than {_MAX_BYTES} bytes.")
        try:
            payload = _Payload.model_validate_json(body)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in fault["loc"]) or "the body"
            raise Rejected(
                f"This is not an Alertmanager payload: {where}: {fault['msg']}."
            ) from None
        return [_alert(said) for said in payload.alerts]

    def _authorise(self, headers: Mapping[str, str]) -> None:
        if self._token is None:
            return
        given = next((v for k, v in headers.items() if k.lower() == "authorization"), "")
        expected = f"Bearer {self._token.get_secret_value()}"
        # Bytes that are no UTF-8 reach us as surrogates.
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode()):
            raise Forbidden("The alert's bearer token is missing or wrong.")


def build(settings: Mapping[str, object]) -> AlertmanagerWebhook:
    """Return the receiver for `{"token": …}` (optional)."""
    return AlertmanagerWebhook(parse_settings(Settings, settings, source="alertmanager"))


class _Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: Annotated[AwareDatetime, AfterValidator(in_utc)] = Field(alias="startsAt")
    generator_url: str = Field(default="", alias="generatorURL")
    fingerprint: str = Field(min_length=1)


class _Payload(BaseModel):
    version: str
    alerts: tuple[_Alert, ...]


def _alert(said: _Alert) -> Alert:
    symptom = (
        said.annotations.get("summary")
        or said.annotations.get("description")
        or said.labels.get("alertname")
        or "An alert without a name"
    )
    service = next((said.labels[name] for name in _SERVICE_LABELS if said.labels.get(name)), None)
    return Alert(
        at=said.starts_at,
        status=said.status,
        symptom=redact_text(symptom),
        service=service and redact_text(service),
        fingerprint=said.fingerprint,
        labels={name: redact_text(value) for name, value in said.labels.items()},
        source="alertmanager",
        link=redact_text(said.generator_url) if said.generator_url else None,
    )
