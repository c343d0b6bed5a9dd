"""The channel that is meant by a name, and whether firstline is in it."""

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, SlackError, code, needed, sentence

PAGE = 200


async def channel_id(client: AsyncWebClient, name: str) -> str:
    """Return the id of a channel by its name (`#incidents`) or id; raises `SlackError`."""
    wanted = name.removeprefix("#")
    cursor = ""
    while True:
        try:
            reply = await client.conversations_list(
                limit=PAGE, cursor=cursor, exclude_archived=True, types="public_channel"
            )
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        for channel in reply.get("channels") or ():
            if wanted in (channel.get("name"), channel.get("id")):
                return str(channel["id"])
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            raise SlackError(
                f"There is no public channel #{wanted}: create it and invite the app, "
                "or name another one under [slack]."
            )


async def inside(client: AsyncWebClient, channel: str) -> bool:
    """Tell whether firstline is in a channel; raises `SlackError` where Slack does not say.

    A channel that it cannot see is one that it is not in, and so are conversations of a few people.
    """
    try:
        reply = await client.conversations_info(channel=channel)
    except FAILURES as error:
        if code(error) == "channel_not_found" or needed(error).startswith(("im:", "mpim:")):
            return False
        raise SlackError(sentence(error)) from error
    return bool((reply.get("channel") or {}).get("is_member"))
