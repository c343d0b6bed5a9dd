"""Bytes from a stranger to an OTLP message, and our refusals in OTLP's form.

The specification (OTLP 1.x, "OTLP/HTTP") wants errors as a `google.rpc.Status` in the encoding of
the request. OTLP/JSON differs from Protobuf's JSON in one point: ids are hexadecimal, not base64.
"""

import base64
import json
import zlib
from http import HTTPStatus
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

_IDS = frozenset({"traceId", "trace_id", "spanId", "span_id", "parentSpanId", "parent_span_id"})
_GZIP = 16 + zlib.MAX_WBITS
_INVALID_ARGUMENT = 3
_LONGEST_VARINT_FREE = 127

_Request = TypeVar("_Request", bound=Message)


class Refusal(Exception):
    """A request that is not taken: an HTTP status and one sentence for its sender."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def inflate(body: bytes, limit: int) -> bytes:
    """Return gzip's content, but never more than `limit` bytes of it; raises `Refusal`."""
    content = bytearray()
    while body:
        stream = zlib.decompressobj(_GZIP)
        try:
            content += stream.decompress(body, limit + 1 - len(content))
        except zlib.error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not valid gzip.") from None
        if len(content) > limit:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body is larger than {limit} bytes once decompressed.",
            )
        if not stream.eof:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The gzip body ends too early.")
        body = stream.unused_data
    return bytes(content)


def decode(kind: type[_Request], body: bytes, *, is_json: bool) -> _Request:
    """Return the message in `body`; raises `Refusal` (400) if it is none."""
    message = kind()
    if not is_json:
        try:
            message.ParseFromString(body)
        except DecodeError:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "The body is not an OTLP message in Protobuf."
            ) from None
        return message
    try:
        tree = _with_ids_in_base64(json.loads(body))
        json_format.ParseDict(tree, message, ignore_unknown_fields=True)
    except (ValueError, OverflowError, RecursionError, json_format.ParseError):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not an OTLP message in JSON.") from None
    return message


def encode(message: Message, *, is_json: bool) -> bytes:
    """Return a response in the encoding of its request."""
    if is_json:
        return json_format.MessageToJson(message, indent=None).encode()
    return message.SerializeToString()


def encode_status(message: str, *, is_json: bool) -> bytes:
    """Return `google.rpc.Status` with code INVALID_ARGUMENT and `message`.

    Two fields are written by hand: the package that has the message is no dependency of ours.
    """
    if is_json:
        return json.dumps({"code": _INVALID_ARGUMENT, "message": message}).encode()
    text = message.encode()
    return b"\x08" + bytes([_INVALID_ARGUMENT]) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > _LONGEST_VARINT_FREE:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _with_ids_in_base64(tree: object) -> dict[str, object]:
    """Return `tree` with its ids rewritten in place; raises ValueError where one is not hex."""
    if not isinstance(tree, dict):
        raise ValueError("an OTLP message is an object")  # noqa: TRY004 - one word for "no OTLP"
    pending: list[object] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            node.encode()  # half a surrogate pair would break Protobuf's own decoder
        elif isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            for key in _IDS & node.keys():
                if isinstance(given := node[key], str):
                    node[key] = base64.b64encode(bytes.fromhex(given)).decode("ascii")
            pending.extend(node.values())
    return tree
