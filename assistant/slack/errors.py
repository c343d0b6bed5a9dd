"""What goes wrong between Slack and us, in two words: the reason, and whether to try again."""

import asyncio
from collections.abc import Mapping

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from assistant.failure import Unusable

UNREACHED = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
FAILURES = (SlackClientError, *UNREACHED)
_SLOWER = ("ratelimited", "rate_limited")
_TROUBLE = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_LEAST_WAIT_S = 1.0
_LOCKED_OUT = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")


class SlackError(Unusable):
    """Slack cannot be used; `str()` says what is wrong and what to do."""


class SlackAway(SlackError):
    """Slack does not answer now; the same may work later."""


def failure(error: BaseException) -> SlackError:
    """Return what to raise for a call that failed."""
    return (SlackAway if passing(error) else SlackError)(sentence(error))


def code(error: BaseException) -> str:
    """Return Slack's word for the failure, or nothing where it gave none."""
    return str(_answer(error).get("error", ""))


def passing(error: BaseException) -> bool:
    """Tell whether the same call may work later."""
    return not isinstance(error, SlackApiError) or code(error) in ("", *_SLOWER, *_TROUBLE)


def locked_out(error: BaseException) -> bool:
    """Tell whether Slack takes the token no more, so that no call will ever work."""
    return code(error) in _LOCKED_OUT


def wait_s(error: BaseException) -> float | None:
    """Return the seconds that Slack asks to wait (Retry-After), if it does."""
    if code(error) not in _SLOWER:
        return None
    headers = error.response.headers if isinstance(error, SlackApiError) else {}
    asked = str(headers.get("Retry-After", ""))
    return max(float(asked), _LEAST_WAIT_S) if asked.isdigit() else _LEAST_WAIT_S


def sentence(error: BaseException) -> str:
    """Return the failure as one sentence that says what to do."""
    name = code(error)
    if name in _LOCKED_OUT:
        return f"Slack refuses the token ({name}): install the app again and copy its tokens."
    if name == "not_allowed_token_type":
        return (
            "Slack refuses the kind of token (not_allowed_token_type): the app token begins with "
            "xapp-, the bot token with xoxb-; they may have been swapped."
        )
    if name == "missing_scope":
        return lacking(needed(error))
    if name:
        return f"Slack answered {name}."
    if isinstance(error, SlackApiError):
        response = error.response
        status = getattr(response, "status_code", None) or getattr(response, "status", "unknown")
        return f"Slack is out of order (HTTP status {status})."
    if isinstance(error, aiohttp.ClientResponseError):  # of a socket that it did not open
        return f"Slack is out of order (HTTP status {error.status})."
    if isinstance(error, asyncio.TimeoutError):
        return "Slack did not answer in time."
    return "Slack did not answer, or cannot be reached."


def lacking(*scopes: str) -> str:
    """Return the sentence for scopes that were not granted."""
    named = f"scope {scopes[0]} is" if len(scopes) == 1 else f"scopes {', '.join(scopes)} are"
    return (
        f"Slack says that the {named} missing: update the app from the manifest and install it "
        "again."
    )


def needed(error: BaseException) -> str:
    """Return the scope that a call was refused for."""
    return str(_answer(error).get("needed", "that it needs"))


def _answer(error: BaseException) -> Mapping[str, object]:
    # Where a reply was no JSON, the SDK puts the raw HTTP reply there, which has no `data`.
    data = getattr(error.response, "data", None) if isinstance(error, SlackApiError) else None
    return data if isinstance(data, dict) else {}
