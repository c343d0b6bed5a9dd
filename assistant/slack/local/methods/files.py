"""files.*: an upload in three steps: ask for a place, send the bytes there, share the file."""

import secrets
from dataclasses import replace
from html import escape

from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.people import File
from assistant.slack.local.refusals import Refused


def _upload_url(call: Call) -> Reply:
    length = call.number("length", 0)
    if not call.text("filename") or length < 1:
        raise Refused("invalid_arguments")
    workspace = call.office.workspace
    file = File(
        id=f"F{secrets.token_hex(5).upper()}",  # whoever knows it may upload
        name=call.text("filename"),
        length=length,
        alt=call.text("alt_txt"),
    )
    workspace.files[file.id] = file
    return {"upload_url": f"{call.office.base_url}/upload/{file.id}", "file_id": file.id}


def _complete(call: Call) -> Reply:
    workspace = call.office.workspace
    asked = call.structure("files", "invalid_arguments")
    if not isinstance(asked, list) or not asked:
        raise Refused("invalid_arguments")
    done = []
    now = call.office.clock.monotonic()
    for entry in asked:
        file = workspace.files.get(str(entry.get("id")))
        if file is None or len(file.content) != file.length:
            raise Refused("file_not_found")
        done.append(replace(file, shared=True, at=now, title=str(entry.get("title") or file.name)))
    channel = call.joined_channel("channel_id") if call.text("channel_id") else None
    for file in done:
        workspace.files[file.id] = file
    if channel is not None:
        call.office.post(
            channel,
            user=call.bot.id,
            bot=workspace.bot_id,
            app=workspace.app_id,
            text=escape(call.text("initial_comment"), quote=False),
            thread=call.text("thread_ts") or None,
            files=tuple(file.id for file in done),
        )
    return {"files": [{"id": file.id, "title": file.title, "name": file.name} for file in done]}


METHODS = {
    "files.getUploadURLExternal": Method(run=_upload_url, scope="files:write"),
    "files.completeUploadExternal": Method(run=_complete, scope="files:write"),
}
