"""chat.*Stream and agent sessions: messages that grow while an app works, and their Stop.

A stream takes chunks until it is stopped, by its app or by the person who reads it. Sources:
docs.slack.dev, chat.startStream, chat.appendStream, chat.stopStream, agents.sessions.setStatus.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.slack import limits
from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.methods.chat import checked_blocks, thread_of
from assistant.slack.local.office import Office
from assistant.slack.local.people import Kind, Message, Stream, Streaming
from assistant.slack.local.refusals import RateLimited, Refused

MINUTE_S = 60.0
_MODES = ("timeline", "plan")
_TASKS = ("pending", "in_progress", "complete", "error")
_SESSIONS = ("active", "processing", "suspended", "closed")
_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    # what a chunk must have, and what it may have
    "markdown_text": (frozenset({"text"}), frozenset()),
    "plan_update": (frozenset({"title"}), frozenset()),
    "task_update": (
        frozenset({"id", "title", "status"}),
        frozenset({"details", "output", "sources"}),
    ),
    "blocks": (frozenset({"blocks"}), frozenset()),
}


def _start(call: Call) -> Reply:
    channel = call.joined_channel()
    if channel.kind is not Kind.DIRECT:
        for name in ("recipient_team_id", "recipient_user_id"):
            if not call.text(name):
                raise Refused(f"missing_{name}")
    if call.text("task_display_mode", _MODES[0]) not in _MODES:
        raise Refused("invalid_arguments")
    stream, text = _grown(Stream(), "", call)
    message = call.office.post(
        channel,
        user=call.bot.id,
        bot=call.office.workspace.bot_id,
        app=call.office.workspace.app_id,
        text=text,
        thread=thread_of(call, channel),
        stream=stream,
    )
    return {"channel": channel.id, "ts": message.ts}


def _append(call: Call) -> Reply:
    message = _streaming(call)
    if not call.text("markdown_text") and not call.structure("chunks", "invalid_chunks"):
        raise Refused("no_text")
    stream, text = _grown(message.stream or Stream(), message.text, call)
    call.office.workspace.rewrite(replace(message, stream=stream, text=text))
    return {"channel": message.channel, "ts": message.ts}


def _stop(call: Call) -> Reply:
    message = _streaming(call)
    workspace = call.office.workspace
    if (status := call.text("session_status")) and status not in _SESSIONS:
        raise Refused("invalid_arguments")
    blocks = checked_blocks(call.structure("blocks", "invalid_blocks_format"), call.office)
    stream, text = _grown(message.stream or Stream(), message.text, call)
    message = replace(
        message,
        stream=replace(stream, state=Streaming.OVER),
        text=text,
        blocks=(*message.blocks, *workspace.identified(blocks)),
    )
    if status:
        workspace.sessions[message.channel, message.thread or message.ts] = status
    workspace.rewrite(message)
    return {"channel": message.channel, "ts": message.ts}


def _streaming(call: Call) -> Message:
    """Return the message that is meant, while it may grow."""
    message = call.message(call.joined_channel(), "ts")
    if message.user != call.bot.id:
        raise Refused("message_not_owned_by_app")
    state = message.stream.state if message.stream else Streaming.OVER
    if state is Streaming.STOPPED:
        raise Refused("stopped_by_user")
    if state is Streaming.OVER:
        raise Refused("message_not_in_streaming_state")
    return message


def _grown(stream: Stream, text: str, call: Call) -> tuple[Stream, str]:
    """Return a stream, and the text of its message, with what the call brings."""
    more = call.text("markdown_text")
    if len(more) > limits.MARKDOWN:
        raise Refused("msg_too_long")
    text += more
    tasks = {str(task["id"]): task for task in stream.tasks}
    title = stream.title
    for chunk in _checked(call.structure("chunks", "invalid_chunks"), call.office):
        match chunk["type"]:
            case "markdown_text":
                text += chunk["text"]
            case "plan_update":
                title = chunk["title"]
            case "task_update":
                tasks[chunk["id"]] = {**tasks.get(chunk["id"], {}), **chunk}
    return replace(stream, title=title, tasks=tuple(tasks.values())), text


def _checked(chunks: object, office: Office) -> Sequence[Mapping[str, Any]]:
    """Return the chunks of a call, if Slack takes them."""
    if chunks is None:
        return ()
    if not isinstance(chunks, list) or not all(_well_formed(chunk) for chunk in chunks):
        raise Refused("invalid_chunks")
    for chunk in chunks:
        if chunk["type"] == "blocks":
            checked_blocks(chunk["blocks"], office)
    return chunks


def _well_formed(chunk: object) -> bool:
    if not isinstance(chunk, dict) or chunk.get("type") not in _KEYS:
        return False
    must, may = _KEYS[chunk["type"]]
    keys = set(chunk) - {"type"}
    if not must <= keys <= must | may:
        return False
    words = [value for key, value in chunk.items() if key not in ("blocks", "sources")]
    named = all(isinstance(word, str) and word for word in words)
    return named and chunk.get("status", _TASKS[0]) in _TASKS and _sources(chunk.get("sources", []))


def _sources(sources: object) -> bool:
    return isinstance(sources, list) and all(
        isinstance(s, dict) and s.get("type") == "url" and s.get("url") and s.get("text")
        for s in sources
    )


def _set_session(call: Call) -> Reply:
    """Say how far an agent is in a thread; while it is processing, people see a Stop."""
    channel = call.joined_channel("channel_id")
    status = call.text("status")
    if status not in _SESSIONS or not call.text("thread_ts"):
        raise Refused("invalid_arguments")
    call.office.workspace.sessions[channel.id, call.text("thread_ts")] = status
    call.office.workspace.changes.note()
    return {"status": status}


def _set_status(call: Call) -> Reply:
    """Write the status line beneath a thread."""
    channel = call.joined_channel("channel_id")
    call.office.workspace.statuses[channel.id, call.text("thread_ts")] = call.text("status")
    call.office.workspace.changes.note()
    return {}


def _tier(method: str, a_minute: int, run: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """Return the method as it is for an app that calls it more often than Slack allows."""

    def limited(call: Call) -> Reply:
        now = call.office.clock.monotonic()
        recent = [m.at for m in call.office.calls if m.method == method and m.at > now - MINUTE_S]
        if len(recent) >= a_minute:
            raise RateLimited(max(1, round(recent[0] + MINUTE_S - now)))
        return run(call)

    return limited


METHODS = {
    "chat.startStream": Method(
        run=_tier("chat.startStream", limits.STREAMS_A_MINUTE, _start), scope="chat:write"
    ),
    "chat.appendStream": Method(
        run=_tier("chat.appendStream", limits.APPENDS_A_MINUTE, _append), scope="chat:write"
    ),
    "chat.stopStream": Method(
        run=_tier("chat.stopStream", limits.STREAMS_A_MINUTE, _stop), scope="chat:write"
    ),
    # Declaring an app as an agent is what adds this scope to it.
    "agents.sessions.setStatus": Method(run=_set_session, scope="assistant:write"),
    "assistant.threads.setStatus": Method(run=_set_status, scope="assistant:write"),
}
