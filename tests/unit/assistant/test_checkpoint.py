"""Signed notes against the example of their reference implementation, and what is not believed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.journal import checkpoint
from assistant.journal.checkpoint import BadCheckpoint, Checkpoint

# The example of golang.org/x/mod/sumdb/note; the key is public, and no secret.
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # noqa: S105
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n"
)
HERE = Checkpoint(origin="firstline/acme", size=42, root=bytes(range(32)))


def test_a_note_is_signed_as_the_reference_signs_it():
    key = checkpoint.signer(SECRET)
    assert str(key.verifier) == PUBLIC
    assert key.sign(TEXT) == NOTE
    assert key.secret() == SECRET
    assert SECRET not in repr(key)


def test_what_was_signed_is_read_again():
    key = checkpoint.new_signer("firstline")
    note = key.sign(HERE.text())
    assert checkpoint.opened(note, [checkpoint.verifier(str(key.verifier))]) == HERE
    assert checkpoint.signer(key.secret()) == key


def test_signatures_of_witnesses_are_passed_over():
    key, witness = checkpoint.new_signer("firstline"), checkpoint.new_signer("witness")
    note = key.sign(HERE.text()) + witness.sign(HERE.text()).rpartition("\n\n")[2]
    assert checkpoint.opened(note, [key.verifier]) == HERE
    assert checkpoint.opened(note, [witness.verifier]) == HERE


def test_a_key_of_the_same_name_is_another_one():
    key, other = checkpoint.new_signer("firstline"), checkpoint.new_signer("firstline")
    with pytest.raises(BadCheckpoint, match="no key that is known here"):
        checkpoint.opened(key.sign(HERE.text()), [other.verifier])


KEY = checkpoint.signer(SECRET)
SIGNED = KEY.sign(HERE.text()).encode()


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_changed_byte_is_believed(place, change):
    data = bytearray(SIGNED)
    data[place] ^= change
    note = data.decode(errors="replace")
    try:
        found = checkpoint.opened(note, [KEY.verifier])
    except BadCheckpoint:
        return
    assert found == HERE  # a signature has several spellings in base64, a checkpoint has one


@given(st.text())
def test_anything_else_is_refused_in_one_sentence(text):
    with pytest.raises(BadCheckpoint):
        checkpoint.opened(text, [KEY.verifier])
    with pytest.raises(BadCheckpoint):
        checkpoint.verifier(text)
    with pytest.raises(BadCheckpoint):
        checkpoint.signer(text)


@pytest.mark.parametrize(
    "text",
    [
        "firstline\n42\n",
        "\n1\nAA==\n",
        "a\n01\nAA==\n",
        "a\n-1\nAA==\n",
        "a\n1\nAA==\n",
        "a\n1\n!\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_none(text):
    with pytest.raises(BadCheckpoint):
        checkpoint.opened(KEY.sign(text), [KEY.verifier])


def test_a_damaged_key_is_not_used():
    damaged = base64.b64encode(b"\x01" + bytes(32)).decode()
    with pytest.raises(BadCheckpoint, match="damaged"):
        checkpoint.signer(f"PRIVATE+KEY+firstline+00000000+{damaged}")
    with pytest.raises(BadCheckpoint, match="damaged"):
        checkpoint.verifier(f"firstline+00000000+{damaged}")
    with pytest.raises(BadCheckpoint, match="no spaces"):
        checkpoint.new_signer("two words")
