"""The signing key lies in a file that only its user can read, and never in a message."""

import pytest

from assistant.journal import keys
from assistant.journal.api import JournalError


def test_it_is_made_once_and_only_its_user_can_read_it(tmp_path):
    path = tmp_path / "audit" / "signing.key"
    assert keys.public(path) is None
    first = keys.made(path)
    assert keys.made(path) == first
    assert keys.public(path) == first.verifier
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "signing.key"
    keys.made(path)
    path.chmod(0o644)
    with pytest.raises(JournalError, match="chmod 600"):
        keys.made(path)


@pytest.mark.parametrize("spoilt", ["", "rubbish", "PRIVATE+KEY+a+b+c", "ünsinn"])
def test_a_damaged_key_is_one_sentence_without_the_key(tmp_path, spoilt):
    path = tmp_path / "signing.key"
    keys.made(path)
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(JournalError, match="cannot be used") as refused:
        keys.made(path)
    assert not spoilt or spoilt not in str(refused.value)
